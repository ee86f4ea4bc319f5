//! Generated dates: every format in every zone, every month in every language, each with the instant that
//! `chrono` computes. The names are written down here once more, as newspapers write them.

use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeZone, Timelike};
use chrono_tz::Tz;

use super::parse;
use crate::model::Timestamp;

/// How newspapers of a language write a day and a time, and their months.
const LANGUAGES: &[(&str, &str)] = &[
    (
        "{d} {mon} {Y} {HH}:{M}",
        "January February March April May June July August September October November December",
    ),
    ("{mon} {d}, {Y} at {h}:{M} {AM}", "Jan Feb March Apr. May June July Aug. Sept. Oct. Nov. Dec."),
    (
        "{d}. {mon} {Y}, {H}.{M} Uhr",
        "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    ),
    ("{d}. {mon} {Y} um {HH}:{M}", "Jänner Feber Mrz. Apr. Mai Jun. Jul. Aug. Sept. Okt. Nov. Dez."),
    (
        "Le {d} {mon} {Y} à {H}h{M}",
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    ),
    ("{d} {mon} {Y} - {H}h{M}", "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc."),
    (
        "{d} de {mon} de {Y} a las {H}:{M} h",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
    ),
    (
        "{d} de {mon} de {Y} às {H}h{M}",
        "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    ),
    (
        "{d} {mon} {Y} alle {H}:{M}",
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
    ),
    (
        "{d} {mon} {Y}, ora {H}:{M}",
        "ianuarie februarie martie aprilie mai iunie iulie august septembrie octombrie noiembrie decembrie",
    ),
    (
        "{d} {mon} {Y} om {H}.{M} uur",
        "januari februari maart april mei juni juli augustus september oktober november december",
    ),
    (
        "{d}. {mon} {Y} kl. {H}.{M}",
        "januar februar marts april maj juni juli august september oktober november december",
    ),
    (
        "{d} {mon} {Y} kl {HH}:{M}",
        "januari februari mars april maj juni juli augusti september oktober november december",
    ),
    (
        "{d}. {mon} {Y} kl. {HH}:{M}",
        "januar februar mars april mai juni juli august september oktober november desember",
    ),
    (
        "{d}. {mon} {Y} klo {H}.{M}",
        "tammikuuta helmikuuta maaliskuuta huhtikuuta toukokuuta kesäkuuta heinäkuuta elokuuta syyskuuta lokakuuta marraskuuta joulukuuta",
    ),
    (
        "{d}. {mon} {Y} kell {H}:{M}",
        "jaanuar veebruar märts aprill mai juuni juuli august september oktoober november detsember",
    ),
    (
        "{Y}. gada {d}. {mon} plkst. {H}:{M}",
        "janvāris februāris marts aprīlis maijs jūnijs jūlijs augusts septembris oktobris novembris decembris",
    ),
    (
        "{Y} m. {mon} {d} d. {HH}:{M}",
        "sausio vasario kovo balandžio gegužės birželio liepos rugpjūčio rugsėjo spalio lapkričio gruodžio",
    ),
    (
        "{d} {mon} {Y} r. godz. {H}:{M}",
        "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
    ),
    (
        "{d}. {mon} {Y} v {H}:{M}",
        "ledna února března dubna května června července srpna září října listopadu prosince",
    ),
    (
        "{d}. {mon} {Y} o {H}:{M}",
        "januára februára marca apríla mája júna júla augusta septembra októbra novembra decembra",
    ),
    (
        "{Y}. {mon} {d}. {H}:{M}",
        "január február március április május június július augusztus szeptember október november december",
    ),
    (
        "{d}. {mon} {Y} ob {H}.{M}",
        "januar februar marec april maj junij julij avgust september oktober november december",
    ),
    (
        "{d}. {mon} {Y}. u {H}:{M}",
        "siječnja veljače ožujka travnja svibnja lipnja srpnja kolovoza rujna listopada studenoga prosinca",
    ),
    (
        "{d}. {mon} {Y}. {HH}:{M}",
        "januar februar mart april maj jun jul avgust septembar oktobar novembar decembar",
    ),
    (
        "{d}. {mon} {Y}. {HH}:{M}",
        "јануара фебруара марта априла маја јуна јула августа септембра октобра новембра децембра",
    ),
    (
        "{d} {mon} {Y} {HH}:{M}",
        "јануари февруари март април мај јуни јули август септември октомври ноември декември",
    ),
    (
        "{d} {mon} {Y} г., {HH}:{M} ч.",
        "януари февруари март април май юни юли август септември октомври ноември декември",
    ),
    (
        "{d} {mon} {Y} года в {HH}:{M}",
        "января февраля марта апреля мая июня июля августа сентября октября ноября декабря",
    ),
    (
        "{d} {mon} {Y} р. о {HH}:{M}",
        "січня лютого березня квітня травня червня липня серпня вересня жовтня листопада грудня",
    ),
    (
        "{d} {mon} {Y}, {HH}:{M}",
        "студзеня лютага сакавіка красавіка мая чэрвеня ліпеня жніўня верасня кастрычніка лістапада снежня",
    ),
    (
        "{d} {mon} {Y}, {HH}:{M}",
        "Ιανουαρίου Φεβρουαρίου Μαρτίου Απριλίου Μαΐου Ιουνίου Ιουλίου Αυγούστου Σεπτεμβρίου Οκτωβρίου Νοεμβρίου Δεκεμβρίου",
    ),
    ("{d} {mon} {Y} {HH}:{M}", "Ιαν Φεβ Μαρ Απρ Μαΐ Ιουν Ιουλ Αυγ Σεπ Οκτ Νοε Δεκ"),
    (
        "{d} {mon} {Y} - {HH}:{M}",
        "Ocak Şubat Mart Nisan Mayıs Haziran Temmuz Ağustos Eylül Ekim Kasım Aralık",
    ),
    ("{d} {mon} {Y}, {HH}:{M}", "OCAK ŞUBAT MART NİSAN MAYIS HAZİRAN TEMMUZ AĞUSTOS EYLÜL EKİM KASIM ARALIK"),
    (
        "{d} {mon} {Y} {HH}:{M}",
        "janar shkurt mars prill maj qershor korrik gusht shtator tetor nëntor dhjetor",
    ),
    (
        "{d}. {mon} {Y} kl. {HH}:{M}",
        "janúar febrúar mars apríl maí júní júlí ágúst september október nóvember desember",
    ),
    (
        "{d} de {mon} de {Y}, {HH}:{M}",
        "gener febrer març abril maig juny juliol agost setembre octubre novembre desembre",
    ),
    (
        "{d} {mon} {Y}, {HH}:{M}",
        "հունվարի փետրվարի մարտի ապրիլի մայիսի հունիսի հուլիսի օգոստոսի սեպտեմբերի հոկտեմբերի նոյեմբերի դեկտեմբերի",
    ),
    (
        "{d} {mon}, {Y} {HH}:{M}",
        "იანვარი თებერვალი მარტი აპრილი მაისი ივნისი ივლისი აგვისტო სექტემბერი ოქტომბერი ნოემბერი დეკემბერი",
    ),
    (
        "{d} {mon} {Y}, {HH}:{M}",
        "yanvar fevral mart aprel may iyun iyul avqust sentyabr oktyabr noyabr dekabr",
    ),
    (
        "{d} {mon} {Y}, {HH}:{M}",
        "қаңтар ақпан наурыз сәуір мамыр маусым шілде тамыз қыркүйек қазан қараша желтоқсан",
    ),
    (
        "{d} {mon} {Y} - {HH}:{M}",
        "يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
    ),
    (
        "{d} {mon} {Y} {HH}:{M}",
        "كانون_الثاني شباط آذار نيسان أيار حزيران تموز آب أيلول تشرين_الأول تشرين_الثاني كانون_الأول",
    ),
    (
        "{d} {mon} {Y}, {HH}:{M}",
        "בינואר בפברואר במרץ באפריל במאי ביוני ביולי באוגוסט בספטמבר באוקטובר בנובמבר בדצמבר",
    ),
    ("{d} {mon} {Y} {HH}:{M}", "ژانویه فوریه مارس آوریل مه ژوئن ژوئیه اوت سپتامبر اکتبر نوامبر دسامبر"),
    ("{d} {mon} {Y} {HH}:{M}", "جنوری فروری مارچ اپریل مئی جون جولائی اگست ستمبر اکتوبر نومبر دسمبر"),
    ("{d} {mon} {Y}, {HH}:{M}", "जनवरी फरवरी मार्च अप्रैल मई जून जुलाई अगस्त सितंबर अक्टूबर नवंबर दिसंबर"),
    ("{d} {mon} {Y}, {HH}:{M}", "জানুয়ারি ফেব্রুয়ারি মার্চ এপ্রিল মে জুন জুলাই আগস্ট সেপ্টেম্বর অক্টোবর নভেম্বর ডিসেম্বর"),
    ("{mon} {d}, {Y} {HH}:{M}", "ஜனவரி பிப்ரவரி மார்ச் ஏப்ரல் மே ஜூன் ஜூலை ஆகஸ்ட் செப்டம்பர் அக்டோபர் நவம்பர் டிசம்பர்"),
    (
        "{d} {mon} {T} เวลา {HH}:{M} น.",
        "มกราคม กุมภาพันธ์ มีนาคม เมษายน พฤษภาคม มิถุนายน กรกฎาคม สิงหาคม กันยายน ตุลาคม พฤศจิกายน ธันวาคม",
    ),
    ("{d} {mon} {T} {HH}.{M} น.", "ม.ค. ก.พ. มี.ค. เม.ย. พ.ค. มิ.ย. ก.ค. ส.ค. ก.ย. ต.ค. พ.ย. ธ.ค."),
    (
        "Ngày {d} {mon} năm {Y} {HH}:{M}",
        "tháng_1 tháng_2 tháng_3 tháng_4 tháng_5 tháng_6 tháng_7 tháng_8 tháng_9 tháng_10 tháng_11 tháng_12",
    ),
    (
        "{d} {mon} {Y} | {HH}:{M} WIB",
        "Januari Februari Maret April Mei Juni Juli Agustus September Oktober November Desember",
    ),
    (
        "{d} {mon} {Y} {h}:{M} {AM}",
        "Januari Februari Mac April Mei Jun Julai Ogos September Oktober November Disember",
    ),
    (
        "{d} ng {mon} {Y}, {HH}:{M}",
        "Enero Pebrero Marso Abril Mayo Hunyo Hulyo Agosto Setyembre Oktubre Nobyembre Disyembre",
    ),
    ("{C}年{mon}{d}日 {HH}:{M}", "一月 二月 三月 四月 五月 六月 七月 八月 九月 十月 十一月 十二月"),
];

/// Formats without names, and whether they name the zone themselves.
const FORMATS: &[(&str, bool)] = &[
    ("{Y}-{mm}-{dd} {HH}:{M}:{S}", false),
    ("{Y}-{mm}-{dd}T{HH}:{M}:{S}{o:}", true),
    ("{Y}-{mm}-{dd}T{HH}:{M}:{S},123{o:}", true),
    ("{Y}-{mm}-{dd}T{HH}:{M}:{S}.123456789{o}", true),
    ("{Y}-{mm}-{dd}T{HH}:{M}:{S}{o:}[{zone}]", true),
    ("{Y}-{mm}-{dd}T{HH}:{M}:{S}[{zone}]", true),
    ("{Y}-{mm}-{dd} {HH}:{M}:{S} {zone}", true),
    ("{day}, {dd} {Mon} {Y} {HH}:{M}:{S} {o}", true),
    ("{day}, {d} {Mon} {Y} {HH}:{M}:{S} GMT{o:}", true),
    ("{day} {Mon} {dd} {Y} {HH}:{M}:{S} GMT{o} (Zone)", true),
    ("{day} {Mon} {dd} {HH}:{M}:{S} {o} {Y}", true),
    ("{day} {Mon} {dd} {HH}:{M}:{S} {Y}", false),
    ("{Y}{mm}{dd}T{HH}{M}{S}{o}", true),
    ("{Y}{mm}{dd}T{HH}{M}{S}", false),
    ("{Y}{mm}{dd}{HH}{M}{S}", false),
    ("{Y}{mm}{dd} {HH}:{M}:{S}", false),
    ("{Y}{mm}{dd} {HH}{M}{S}", false),
    ("{unix}", true),
    ("{unix}.5", true),
    ("{unix}000", true),
    ("{unix}000000", true),
    ("/Date({unix}000)/", true),
    ("/Date({unix}000{o})/", true),
    ("{Y}年{m}月{d}日{H}时{M}分{S}秒", false),
    ("{Y}年{mm}月{dd}日 {HH}:{M}:{S}", false),
    ("{Y}年{m}月{d}日({水}) {H}時{M}分{S}秒", false),
    ("{Y}年{m}月{d}日{上午}{h}:{M}:{S}", false),
    ("{Y}/{m}/{d} {上午} {h}:{M}:{S}", false),
    ("令和{R}年{m}月{d}日 {H}:{M}:{S}", false),
    ("{C}年{Cm}月{Cd}日 {HH}：{M}：{S}", false),
    ("{F}", false),
    ("{Y}년 {m}월 {d}일 {오전} {h}:{M}:{S}", false),
    ("{Y}년 {m}월 {d}일 {H}시 {M}분 {S}초", false),
    ("{Y}. {m}. {d}. {오전} {h}:{M}:{S}", false),
    ("{Y}.{mm}.{dd}. {HH}:{M}:{S}", false),
    ("{dd}.{mm}.{Y} {HH}:{M}:{S}", false),
    ("{d}.{m}.{Y}, {HH}:{M}:{S} Uhr", false),
    ("{dd}.{mm}.{Y} | {HH}:{M}:{S}", false),
    ("{dd}.{mm}.{Y} - {HH}.{M}.{S}", false),
    ("{day}, {dd}/{mm}/{Y} - {HH}:{M}:{S}", false),
    ("{day}, {mm}/{dd}/{Y} - {HH}:{M}:{S}", false),
    ("{mm}/{dd}/{Y} {h}:{M}:{S} {AM} ({day})", false),
    ("{HH}:{M}:{S} {dd}.{mm}.{Y}", false),
    ("[{Y}-{mm}-{dd} {HH}:{M}:{S}]", false),
    ("发布时间：{Y}-{mm}-{dd} {HH}:{M}:{S}", false),
    ("发布时间：{Y}-{mm}-{dd} {HH}:{M}:{S} 来源：城报 作者：Martin", false),
    ("{Y}-{mm}-{dd} {HH}:{M}:{S}来源", false),
    ("{Y}-{mm}-{dd} @ {HH}:{M}:{S}", false),
    ("{Y}-{mm}-{dd} - {HH}:{M}:{S}", false),
    ("{Y}-{mm}-{dd} {HH}h{M}m{S}s | Marketing, May Chen", false),
    ("{Y}-{mm}-{dd}-{HH}-{M}-{S}", false),
    ("<time datetime=\"{Y}-{mm}-{dd}T{HH}:{M}:{S}{o:}\">{mm}/{dd}/{Y}</time>", true),
];

const ZONES: [Tz; 12] = [
    Tz::UTC,
    Tz::Asia__Shanghai,
    Tz::Asia__Tokyo,
    Tz::Asia__Kolkata,
    Tz::Asia__Kathmandu,
    Tz::Europe__Berlin,
    Tz::Europe__London,
    Tz::Europe__Istanbul,
    Tz::America__New_York,
    Tz::America__St_Johns,
    Tz::America__Sao_Paulo,
    Tz::Australia__Sydney,
];

fn chinese(number: u32) -> String {
    const SIGNS: [char; 10] = ['〇', '一', '二', '三', '四', '五', '六', '七', '八', '九'];
    let sign = |digit: u32| SIGNS[digit as usize].to_string();
    match number {
        0..10 => sign(number),
        10 => "十".to_owned(),
        11..20 => format!("十{}", sign(number % 10)),
        20.. if number.is_multiple_of(10) => format!("{}十", sign(number / 10)),
        _ => format!("{}十{}", sign(number / 10), sign(number % 10)),
    }
}

fn wide(text: &str) -> String {
    text.chars().map(|c| c.to_digit(10).and_then(|d| char::from_u32(0xFF10 + d)).unwrap_or(c)).collect()
}

fn made(pattern: &str, at: NaiveDateTime, zone: Tz, month: &str) -> String {
    let moment = zone.from_local_datetime(&at).earliest().unwrap();
    let (pm, hour) = at.hour12();
    let year = at.year().to_string();
    let digits: String = year.chars().map(|c| chinese(c.to_digit(10).unwrap())).collect();
    let (day, days) = (at.day(), at.weekday().num_days_from_sunday() as usize);
    let fields = [
        ("{Y}", year.clone()),
        ("{T}", (at.year() + 543).to_string()),
        ("{R}", (at.year() - 2018).to_string()),
        ("{C}", digits),
        ("{Cm}", chinese(at.month())),
        ("{Cd}", chinese(day)),
        ("{F}", wide(&at.format("%Y年%-m月%-d日　%H：%M：%S").to_string()).replace(':', "：")),
        ("{m}", at.month().to_string()),
        ("{mm}", at.format("%m").to_string()),
        ("{mon}", month.replace('_', " ")),
        ("{Mon}", at.format("%b").to_string()),
        ("{d}", day.to_string()),
        ("{dd}", at.format("%d").to_string()),
        ("{day}", at.format("%a").to_string()),
        ("{水}", ["日", "月", "火", "水", "木", "金", "土"][days].to_owned()),
        ("{H}", at.hour().to_string()),
        ("{HH}", at.format("%H").to_string()),
        ("{h}", hour.to_string()),
        ("{M}", at.format("%M").to_string()),
        ("{S}", at.format("%S").to_string()),
        ("{AM}", if pm { "PM" } else { "AM" }.to_owned()),
        ("{上午}", if pm { "下午" } else { "上午" }.to_owned()),
        ("{오전}", if pm { "오후" } else { "오전" }.to_owned()),
        ("{o:}", moment.format("%:z").to_string()),
        ("{o}", moment.format("%z").to_string()),
        ("{zone}", zone.name().to_owned()),
        ("{unix}", moment.timestamp().to_string()),
    ];
    fields.iter().fold(pattern.to_owned(), |text, (name, value)| text.replace(name, value))
}

fn read_exactly(text: &str, at: NaiveDateTime, zone: Tz, source: Tz, faults: &mut Vec<String>) {
    let want = zone.from_local_datetime(&at).earliest().unwrap().timestamp();
    let got = parse(text, source);
    if got.map(Timestamp::unix) != Some(want) {
        let want = Timestamp::stated(want).map(Timestamp::rfc3339);
        faults.push(format!("{text} in {source}: {:?}, not {want:?}", got.map(Timestamp::rfc3339)));
    }
}

#[test]
fn every_month_in_every_language() {
    let (mut count, mut faults) = (0, Vec::new());
    for (pattern, months) in LANGUAGES {
        let months: Vec<&str> = months.split(' ').collect();
        assert_eq!(months.len(), 12, "{months:?}");
        for (month, name) in (1..).zip(months) {
            // A day that cannot be a month, and one that can.
            for (day, hour, zone) in [(25, 15, Tz::Asia__Jakarta), (8, 9, Tz::Asia__Bangkok)] {
                let at = NaiveDate::from_ymd_opt(2025, month, day).unwrap().and_hms_opt(hour, 20, 0).unwrap();
                read_exactly(&made(pattern, at, zone, name), at, zone, zone, &mut faults);
                count += 1;
            }
        }
    }
    assert!(count >= 1_200, "{count}");
    assert!(faults.is_empty(), "{} of {count}:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn every_format_in_every_zone() {
    let (mut count, mut faults) = (0, Vec::new());
    let moments = [
        (2025, 1, 31, 0, 5, 9),
        (2025, 4, 9, 15, 20, 30),
        (2024, 2, 29, 23, 59, 59),
        (2025, 11, 5, 12, 0, 7),
    ];
    for (pattern, own) in FORMATS {
        for zone in ZONES {
            for (year, month, day, hour, minute, second) in moments {
                let at = NaiveDate::from_ymd_opt(year, month, day).unwrap();
                let at = at.and_hms_opt(hour, minute, second).unwrap();
                // A date that names its zone has the same instant in a source of another zone.
                let source = if *own { Tz::Pacific__Auckland } else { zone };
                read_exactly(&made(pattern, at, zone, ""), at, zone, source, &mut faults);
                count += 1;
            }
        }
    }
    assert!(count >= 2_000, "{count}");
    assert!(faults.is_empty(), "{} of {count}:\n{}", faults.len(), faults.join("\n"));
}
