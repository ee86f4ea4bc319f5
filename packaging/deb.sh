#!/bin/sh
# Makes the Debian package: packaging/deb.sh [--deb-version X …]; needs cargo-deb. The package is in target/debian/.
set -eu
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}
cargo build --locked --profile dist --bin feedmill
bin=$target/dist/feedmill
made=$target/packaging
rm -rf "$made"
mkdir -p "$made/man"
"$bin" generate man "$made/man"
gzip -9n "$made"/man/*.1
"$bin" generate completions bash >"$made/feedmill.bash"
"$bin" generate completions zsh >"$made/_feedmill"
"$bin" generate completions fish >"$made/feedmill.fish"
"$bin" generate schema >"$made/feedmill.schema.json"
# cargo-deb adds the revision.
version=$("$bin" --version | cut -d' ' -f2)-1
# The scripts tell the version that they belong to.
for argument in "$@"; do
    if [ "${next:-}" = 1 ]; then version=$argument next=0; fi
    case $argument in --deb-version) next=1 ;; esac
done
mkdir "$made/debian"
for script in preinst postinst prerm postrm; do
    sed -e "s/#VERSION#/$version/" -e '/#DEBHELPER#/d' "packaging/debian/$script" >"$made/debian/$script"
    chmod 755 "$made/debian/$script"
done
# cargo-deb looks for assets below the project.
[ "$target" = target ] || { rm -rf target/packaging; mkdir -p target; cp -r "$made" target/packaging; }
cargo deb --no-build --profile dist "$@"
