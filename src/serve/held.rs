//! Bytes that the kernel holds as well: a socket takes them from there without a copy (sendfile(2)).

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create, sendfile};
use rustix::io::{Errno, retry_on_intr};

/// Fewer bytes are copied sooner than handed over.
pub(super) const HOLD_FROM: usize = 12 << 10;
/// Descriptors that are left to the store, the fetcher and the rest.
const OTHERS: usize = 64;
/// Descriptors that are taken at most.
const MOST: usize = 4_096;
/// A process's descriptors, where it cannot be told how many it may have.
const USUAL: usize = 1_024;

/// How many bodies may be held at one time more: each takes a descriptor.
#[derive(Debug)]
pub(super) struct Room(AtomicUsize);

impl Room {
    /// What the process's limit leaves beside so many connections.
    pub(super) fn beside(connections: usize) -> Arc<Self> {
        // Not by getrlimit(2): a service may be forbidden to ask, and `rustix` takes no for an answer.
        let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
        Self::of(descriptors(&limits).unwrap_or(USUAL).saturating_sub(connections + OTHERS).min(MOST))
    }

    fn of(places: usize) -> Arc<Self> {
        Arc::new(Self(AtomicUsize::new(places)))
    }

    fn take(&self) -> bool {
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
    }

    fn give_back(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// From `/proc/self/limits`.
fn descriptors(limits: &str) -> Option<usize> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Bytes, here and in a file of the kernel's memory that nothing can change any more.
#[derive(Debug)]
pub(super) struct Held {
    bytes: Bytes,
    file: OwnedFd,
    room: Arc<Room>,
}

impl Held {
    /// `None` where there is no room, or the kernel does not want to.
    pub(super) fn new(bytes: &Bytes, room: &Arc<Room>) -> Option<Self> {
        if !room.take() {
            return None;
        }
        let file = file(bytes).inspect_err(|_| room.give_back()).ok()?;
        Some(Self { bytes: bytes.clone(), file, room: Arc::clone(room) })
    }

    /// Where a slice begins that is a part of these very bytes: not equal ones, but the same memory. So what
    /// is sent for it is the same, whatever else was said about it.
    fn start_of(&self, slice: &[u8]) -> Option<usize> {
        let start = slice.as_ptr().addr().checked_sub(self.bytes.as_ptr().addr())?;
        (start + slice.len() <= self.bytes.len()).then_some(start)
    }

    /// Whether a slice is a part of these very bytes.
    pub(super) fn has(&self, slice: &[u8]) -> bool {
        self.start_of(slice).is_some()
    }

    /// Whether such a slice is the last part.
    pub(super) fn ends_with(&self, slice: &[u8]) -> bool {
        self.start_of(slice).is_some_and(|start| start + slice.len() == self.bytes.len())
    }

    /// Sends some of such a slice; how many bytes.
    pub(super) fn send(&self, socket: impl AsFd, slice: &[u8]) -> io::Result<usize> {
        let start = self.start_of(slice).ok_or(Errno::INVAL)? as u64;
        Ok(retry_on_intr(|| sendfile(&socket, &self.file, Some(&mut start.clone()), slice.len()))?)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.room.give_back();
    }
}

fn file(bytes: &[u8]) -> io::Result<OwnedFd> {
    const FLAGS: MemfdFlags = MemfdFlags::CLOEXEC.union(MemfdFlags::ALLOW_SEALING);
    // Kernels before 6.3 do not know the flag, later ones may want it.
    let made = memfd_create(c"feedmill", FLAGS | MemfdFlags::NOEXEC_SEAL)
        .or_else(|_| memfd_create(c"feedmill", FLAGS))?;
    let mut file = File::from(made);
    file.write_all(bytes)?;
    fcntl_add_seals(&file, SealFlags::SEAL | SealFlags::SHRINK | SealFlags::GROW | SealFlags::WRITE)?;
    Ok(file.into())
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn parts_of_the_bytes_are_sent_and_no_others() {
        let bytes: Bytes = (0..100_000_u32).flat_map(u32::to_le_bytes).collect();
        let held = Held::new(&bytes, &Room::of(1)).unwrap();
        assert!(held.has(&bytes) && held.ends_with(&bytes[7..]) && !held.ends_with(&bytes[..7]));
        let others = bytes.to_vec();
        assert!(!held.has(&others), "equal bytes elsewhere");
        let (mut here, there) = UnixStream::pair().unwrap();
        assert_eq!(held.send(&there, &others[..4]).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        let mut got = vec![0; 9];
        for part in [&bytes[..9], &bytes[5_000..5_009], &bytes[bytes.len() - 9..]] {
            assert_eq!(held.send(&there, part).unwrap(), 9);
            here.read_exact(&mut got).unwrap();
            assert_eq!(got, part);
        }
        // No more than the socket takes.
        there.set_nonblocking(true).unwrap();
        let sent = held.send(&there, &bytes[1..]).unwrap();
        assert!(sent < bytes.len() - 1, "{sent}");
        assert_eq!(held.send(&there, &bytes[1 + sent..]).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        let mut got = vec![0; sent];
        here.read_exact(&mut got).unwrap();
        assert_eq!(got, bytes[1..=sent]);
    }

    #[test]
    fn there_is_room_for_so_many() {
        let (bytes, room) = (Bytes::from_static(b"abc"), Room::of(2));
        let one = Held::new(&bytes, &room).unwrap();
        let two = Held::new(&bytes, &room).unwrap();
        assert!(Held::new(&bytes, &room).is_none());
        drop(one);
        assert!(Held::new(&bytes, &room).is_some());
        drop(two);
        assert_eq!(room.0.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn nothing_can_change_what_is_held() {
        let file = File::from(file(b"abc").unwrap());
        assert!((&file).write_all(b"d").is_err() && file.set_len(1).is_err());
    }

    #[test]
    fn limits() {
        let limits = "Limit                     Soft Limit           Hard Limit           Units     \n\
                      Max open files            1024                 524288               files     \n";
        assert_eq!(descriptors(limits), Some(1_024));
        assert_eq!(
            descriptors("Max open files            unlimited            unlimited            files"),
            None
        );
        assert_eq!(descriptors(""), None);
        assert!(descriptors(&std::fs::read_to_string("/proc/self/limits").unwrap()).is_some());
    }
}
