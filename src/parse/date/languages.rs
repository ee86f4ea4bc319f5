//! The languages of newspapers in Europe and Asia, with their names of months and days of the week, which are
//! those of the GNU C Library, from [`pure_rust_locales`]; `more` adds other names that newspapers write.

use pure_rust_locales as locales;

use locales::af_ZA::LC_TIME as af;
use locales::am_ET::LC_TIME as am;
use locales::ar_DZ::LC_TIME as ar_dz;
use locales::ar_EG::LC_TIME as ar;
use locales::ar_MA::LC_TIME as ar_ma;
use locales::ar_SY::LC_TIME as ar_sy;
use locales::as_IN::LC_TIME as asm;
use locales::az_AZ::LC_TIME as az;
use locales::be_BY::LC_TIME as be;
use locales::bg_BG::LC_TIME as bg;
use locales::bn_BD::LC_TIME as bn;
use locales::bs_BA::LC_TIME as bs;
use locales::ca_ES::LC_TIME as ca;
use locales::cs_CZ::LC_TIME as cs;
use locales::cy_GB::LC_TIME as cy;
use locales::da_DK::LC_TIME as da;
use locales::de_AT::LC_TIME as de_at;
use locales::de_DE::LC_TIME as de;
use locales::el_GR::LC_TIME as el;
use locales::en_US::LC_TIME as en;
use locales::es_ES::LC_TIME as es;
use locales::et_EE::LC_TIME as et;
use locales::eu_ES::LC_TIME as eu;
use locales::fa_IR::LC_TIME as fa;
use locales::fi_FI::LC_TIME as fi;
use locales::fil_PH::LC_TIME as fil;
use locales::fo_FO::LC_TIME as fo;
use locales::fr_CA::LC_TIME as fr_ca;
use locales::fr_FR::LC_TIME as fr;
use locales::fy_NL::LC_TIME as fy;
use locales::ga_IE::LC_TIME as ga;
use locales::gl_ES::LC_TIME as gl;
use locales::gu_IN::LC_TIME as gu;
use locales::he_IL::LC_TIME as he;
use locales::hi_IN::LC_TIME as hi;
use locales::hr_HR::LC_TIME as hr;
use locales::hu_HU::LC_TIME as hu;
use locales::hy_AM::LC_TIME as hy;
use locales::id_ID::LC_TIME as id;
use locales::is_IS::LC_TIME as is;
use locales::it_IT::LC_TIME as it;
use locales::ka_GE::LC_TIME as ka;
use locales::kk_KZ::LC_TIME as kk;
use locales::km_KH::LC_TIME as km;
use locales::kn_IN::LC_TIME as kn;
use locales::ky_KG::LC_TIME as ky;
use locales::lb_LU::LC_TIME as lb;
use locales::lo_LA::LC_TIME as lo;
use locales::lt_LT::LC_TIME as lt;
use locales::lv_LV::LC_TIME as lv;
use locales::mk_MK::LC_TIME as mk;
use locales::ml_IN::LC_TIME as ml;
use locales::mr_IN::LC_TIME as mr;
use locales::ms_MY::LC_TIME as ms;
use locales::mt_MT::LC_TIME as mt;
use locales::my_MM::LC_TIME as my;
use locales::nb_NO::LC_TIME as nb;
use locales::ne_NP::LC_TIME as ne;
use locales::nl_NL::LC_TIME as nl;
use locales::nn_NO::LC_TIME as nn;
use locales::or_IN::LC_TIME as or;
use locales::pa_IN::LC_TIME as pa;
use locales::pl_PL::LC_TIME as pl;
use locales::pt_PT::LC_TIME as pt;
use locales::ro_RO::LC_TIME as ro;
use locales::ru_RU::LC_TIME as ru;
use locales::si_LK::LC_TIME as si;
use locales::sk_SK::LC_TIME as sk;
use locales::sl_SI::LC_TIME as sl;
use locales::sq_AL::LC_TIME as sq;
use locales::sr_RS::LC_TIME as sr;
use locales::sr_RS_latin::LC_TIME as sr_l;
use locales::sv_SE::LC_TIME as sv;
use locales::sw_KE::LC_TIME as sw;
use locales::ta_IN::LC_TIME as ta;
use locales::te_IN::LC_TIME as te;
use locales::tg_TJ::LC_TIME as tg;
use locales::th_TH::LC_TIME as th;
use locales::tl_PH::LC_TIME as fil_ph;
use locales::tr_TR::LC_TIME as tr;
use locales::uk_UA::LC_TIME as uk;
use locales::ur_PK::LC_TIME as ur;
use locales::uz_UZ::LC_TIME as uz;
use locales::vi_VN::LC_TIME as vi;

/// Names of months or days, in their order.
type Names = &'static [&'static str];

/// A language, or the names of one country for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Language {
    pub code: &'static str,
    /// Names of months, full and short, in all their cases.
    pub months: [Names; 4],
    /// Names of days of the week, full and short, from Sunday on.
    pub days: [Names; 2],
}

const fn language(
    code: &'static str,
    names: [Names; 2],
    alone: [Option<Names>; 2],
    days: [Names; 2],
) -> Language {
    let [full, short] = names;
    let alone = match alone {
        [Some(full), Some(short)] => [full, short],
        [Some(full), None] => [full, &[]],
        [None, Some(short)] => [&[] as Names, short],
        [None, None] => [&[] as Names, &[] as Names],
    };
    let [full_alone, short_alone] = alone;
    Language { code, months: [full, short, full_alone, short_alone], days }
}

/// All languages, the more common ones first: they win if nothing else decides.
pub(super) const LANGUAGES: &[Language] = &[
    language("en", [en::MON, en::ABMON], [en::ALT_MON, en::AB_ALT_MON], [en::DAY, en::ABDAY]),
    language("de", [de::MON, de::ABMON], [de::ALT_MON, de::AB_ALT_MON], [de::DAY, de::ABDAY]),
    language("fr", [fr::MON, fr::ABMON], [fr::ALT_MON, fr::AB_ALT_MON], [fr::DAY, fr::ABDAY]),
    language("es", [es::MON, es::ABMON], [es::ALT_MON, es::AB_ALT_MON], [es::DAY, es::ABDAY]),
    language("it", [it::MON, it::ABMON], [it::ALT_MON, it::AB_ALT_MON], [it::DAY, it::ABDAY]),
    language("pt", [pt::MON, pt::ABMON], [pt::ALT_MON, pt::AB_ALT_MON], [pt::DAY, pt::ABDAY]),
    language("ru", [ru::MON, ru::ABMON], [ru::ALT_MON, ru::AB_ALT_MON], [ru::DAY, ru::ABDAY]),
    language("pl", [pl::MON, pl::ABMON], [pl::ALT_MON, pl::AB_ALT_MON], [pl::DAY, pl::ABDAY]),
    language("nl", [nl::MON, nl::ABMON], [nl::ALT_MON, nl::AB_ALT_MON], [nl::DAY, nl::ABDAY]),
    language("sv", [sv::MON, sv::ABMON], [sv::ALT_MON, sv::AB_ALT_MON], [sv::DAY, sv::ABDAY]),
    language("da", [da::MON, da::ABMON], [da::ALT_MON, da::AB_ALT_MON], [da::DAY, da::ABDAY]),
    language("nb", [nb::MON, nb::ABMON], [nb::ALT_MON, nb::AB_ALT_MON], [nb::DAY, nb::ABDAY]),
    language("nn", [nn::MON, nn::ABMON], [nn::ALT_MON, nn::AB_ALT_MON], [nn::DAY, nn::ABDAY]),
    language("fi", [fi::MON, fi::ABMON], [fi::ALT_MON, fi::AB_ALT_MON], [fi::DAY, fi::ABDAY]),
    language("cs", [cs::MON, cs::ABMON], [cs::ALT_MON, cs::AB_ALT_MON], [cs::DAY, cs::ABDAY]),
    language("sk", [sk::MON, sk::ABMON], [sk::ALT_MON, sk::AB_ALT_MON], [sk::DAY, sk::ABDAY]),
    language("hu", [hu::MON, hu::ABMON], [hu::ALT_MON, hu::AB_ALT_MON], [hu::DAY, hu::ABDAY]),
    language("ro", [ro::MON, ro::ABMON], [ro::ALT_MON, ro::AB_ALT_MON], [ro::DAY, ro::ABDAY]),
    language("el", [el::MON, el::ABMON], [el::ALT_MON, el::AB_ALT_MON], [el::DAY, el::ABDAY]),
    language("bg", [bg::MON, bg::ABMON], [bg::ALT_MON, bg::AB_ALT_MON], [bg::DAY, bg::ABDAY]),
    language("uk", [uk::MON, uk::ABMON], [uk::ALT_MON, uk::AB_ALT_MON], [uk::DAY, uk::ABDAY]),
    language("tr", [tr::MON, tr::ABMON], [tr::ALT_MON, tr::AB_ALT_MON], [tr::DAY, tr::ABDAY]),
    language("hr", [hr::MON, hr::ABMON], [hr::ALT_MON, hr::AB_ALT_MON], [hr::DAY, hr::ABDAY]),
    language("sr", [sr::MON, sr::ABMON], [sr::ALT_MON, sr::AB_ALT_MON], [sr::DAY, sr::ABDAY]),
    language("sr", [sr_l::MON, sr_l::ABMON], [sr_l::ALT_MON, sr_l::AB_ALT_MON], [sr_l::DAY, sr_l::ABDAY]),
    language("bs", [bs::MON, bs::ABMON], [bs::ALT_MON, bs::AB_ALT_MON], [bs::DAY, bs::ABDAY]),
    language("sl", [sl::MON, sl::ABMON], [sl::ALT_MON, sl::AB_ALT_MON], [sl::DAY, sl::ABDAY]),
    language("mk", [mk::MON, mk::ABMON], [mk::ALT_MON, mk::AB_ALT_MON], [mk::DAY, mk::ABDAY]),
    language("sq", [sq::MON, sq::ABMON], [sq::ALT_MON, sq::AB_ALT_MON], [sq::DAY, sq::ABDAY]),
    language("be", [be::MON, be::ABMON], [be::ALT_MON, be::AB_ALT_MON], [be::DAY, be::ABDAY]),
    language("lt", [lt::MON, lt::ABMON], [lt::ALT_MON, lt::AB_ALT_MON], [lt::DAY, lt::ABDAY]),
    language("lv", [lv::MON, lv::ABMON], [lv::ALT_MON, lv::AB_ALT_MON], [lv::DAY, lv::ABDAY]),
    language("et", [et::MON, et::ABMON], [et::ALT_MON, et::AB_ALT_MON], [et::DAY, et::ABDAY]),
    language("is", [is::MON, is::ABMON], [is::ALT_MON, is::AB_ALT_MON], [is::DAY, is::ABDAY]),
    language("fo", [fo::MON, fo::ABMON], [fo::ALT_MON, fo::AB_ALT_MON], [fo::DAY, fo::ABDAY]),
    language("ca", [ca::MON, ca::ABMON], [ca::ALT_MON, ca::AB_ALT_MON], [ca::DAY, ca::ABDAY]),
    language("gl", [gl::MON, gl::ABMON], [gl::ALT_MON, gl::AB_ALT_MON], [gl::DAY, gl::ABDAY]),
    language("eu", [eu::MON, eu::ABMON], [eu::ALT_MON, eu::AB_ALT_MON], [eu::DAY, eu::ABDAY]),
    language("ga", [ga::MON, ga::ABMON], [ga::ALT_MON, ga::AB_ALT_MON], [ga::DAY, ga::ABDAY]),
    language("cy", [cy::MON, cy::ABMON], [cy::ALT_MON, cy::AB_ALT_MON], [cy::DAY, cy::ABDAY]),
    language("mt", [mt::MON, mt::ABMON], [mt::ALT_MON, mt::AB_ALT_MON], [mt::DAY, mt::ABDAY]),
    language("lb", [lb::MON, lb::ABMON], [lb::ALT_MON, lb::AB_ALT_MON], [lb::DAY, lb::ABDAY]),
    language("fy", [fy::MON, fy::ABMON], [fy::ALT_MON, fy::AB_ALT_MON], [fy::DAY, fy::ABDAY]),
    language("af", [af::MON, af::ABMON], [af::ALT_MON, af::AB_ALT_MON], [af::DAY, af::ABDAY]),
    language(
        "de",
        [de_at::MON, de_at::ABMON],
        [de_at::ALT_MON, de_at::AB_ALT_MON],
        [de_at::DAY, de_at::ABDAY],
    ),
    language(
        "fr",
        [fr_ca::MON, fr_ca::ABMON],
        [fr_ca::ALT_MON, fr_ca::AB_ALT_MON],
        [fr_ca::DAY, fr_ca::ABDAY],
    ),
    language("hy", [hy::MON, hy::ABMON], [hy::ALT_MON, hy::AB_ALT_MON], [hy::DAY, hy::ABDAY]),
    language("ka", [ka::MON, ka::ABMON], [ka::ALT_MON, ka::AB_ALT_MON], [ka::DAY, ka::ABDAY]),
    language("az", [az::MON, az::ABMON], [az::ALT_MON, az::AB_ALT_MON], [az::DAY, az::ABDAY]),
    language("kk", [kk::MON, kk::ABMON], [kk::ALT_MON, kk::AB_ALT_MON], [kk::DAY, kk::ABDAY]),
    language("uz", [uz::MON, uz::ABMON], [uz::ALT_MON, uz::AB_ALT_MON], [uz::DAY, uz::ABDAY]),
    language("ky", [ky::MON, ky::ABMON], [ky::ALT_MON, ky::AB_ALT_MON], [ky::DAY, ky::ABDAY]),
    language("tg", [tg::MON, tg::ABMON], [tg::ALT_MON, tg::AB_ALT_MON], [tg::DAY, tg::ABDAY]),
    language("ar", [ar::MON, ar::ABMON], [ar::ALT_MON, ar::AB_ALT_MON], [ar::DAY, ar::ABDAY]),
    language(
        "ar",
        [ar_sy::MON, ar_sy::ABMON],
        [ar_sy::ALT_MON, ar_sy::AB_ALT_MON],
        [ar_sy::DAY, ar_sy::ABDAY],
    ),
    language(
        "ar",
        [ar_ma::MON, ar_ma::ABMON],
        [ar_ma::ALT_MON, ar_ma::AB_ALT_MON],
        [ar_ma::DAY, ar_ma::ABDAY],
    ),
    language(
        "ar",
        [ar_dz::MON, ar_dz::ABMON],
        [ar_dz::ALT_MON, ar_dz::AB_ALT_MON],
        [ar_dz::DAY, ar_dz::ABDAY],
    ),
    language("he", [he::MON, he::ABMON], [he::ALT_MON, he::AB_ALT_MON], [he::DAY, he::ABDAY]),
    language("fa", [fa::MON, fa::ABMON], [fa::ALT_MON, fa::AB_ALT_MON], [fa::DAY, fa::ABDAY]),
    language("ur", [ur::MON, ur::ABMON], [ur::ALT_MON, ur::AB_ALT_MON], [ur::DAY, ur::ABDAY]),
    language("hi", [hi::MON, hi::ABMON], [hi::ALT_MON, hi::AB_ALT_MON], [hi::DAY, hi::ABDAY]),
    language("bn", [bn::MON, bn::ABMON], [bn::ALT_MON, bn::AB_ALT_MON], [bn::DAY, bn::ABDAY]),
    language("mr", [mr::MON, mr::ABMON], [mr::ALT_MON, mr::AB_ALT_MON], [mr::DAY, mr::ABDAY]),
    language("ne", [ne::MON, ne::ABMON], [ne::ALT_MON, ne::AB_ALT_MON], [ne::DAY, ne::ABDAY]),
    language("gu", [gu::MON, gu::ABMON], [gu::ALT_MON, gu::AB_ALT_MON], [gu::DAY, gu::ABDAY]),
    language("pa", [pa::MON, pa::ABMON], [pa::ALT_MON, pa::AB_ALT_MON], [pa::DAY, pa::ABDAY]),
    language("ta", [ta::MON, ta::ABMON], [ta::ALT_MON, ta::AB_ALT_MON], [ta::DAY, ta::ABDAY]),
    language("te", [te::MON, te::ABMON], [te::ALT_MON, te::AB_ALT_MON], [te::DAY, te::ABDAY]),
    language("kn", [kn::MON, kn::ABMON], [kn::ALT_MON, kn::AB_ALT_MON], [kn::DAY, kn::ABDAY]),
    language("ml", [ml::MON, ml::ABMON], [ml::ALT_MON, ml::AB_ALT_MON], [ml::DAY, ml::ABDAY]),
    language("or", [or::MON, or::ABMON], [or::ALT_MON, or::AB_ALT_MON], [or::DAY, or::ABDAY]),
    language("as", [asm::MON, asm::ABMON], [asm::ALT_MON, asm::AB_ALT_MON], [asm::DAY, asm::ABDAY]),
    language("si", [si::MON, si::ABMON], [si::ALT_MON, si::AB_ALT_MON], [si::DAY, si::ABDAY]),
    language("th", [th::MON, th::ABMON], [th::ALT_MON, th::AB_ALT_MON], [th::DAY, th::ABDAY]),
    language("lo", [lo::MON, lo::ABMON], [lo::ALT_MON, lo::AB_ALT_MON], [lo::DAY, lo::ABDAY]),
    language("km", [km::MON, km::ABMON], [km::ALT_MON, km::AB_ALT_MON], [km::DAY, km::ABDAY]),
    language("my", [my::MON, my::ABMON], [my::ALT_MON, my::AB_ALT_MON], [my::DAY, my::ABDAY]),
    language("vi", [vi::MON, vi::ABMON], [vi::ALT_MON, vi::AB_ALT_MON], [vi::DAY, vi::ABDAY]),
    language("id", [id::MON, id::ABMON], [id::ALT_MON, id::AB_ALT_MON], [id::DAY, id::ABDAY]),
    language("ms", [ms::MON, ms::ABMON], [ms::ALT_MON, ms::AB_ALT_MON], [ms::DAY, ms::ABDAY]),
    language("fil", [fil::MON, fil::ABMON], [fil::ALT_MON, fil::AB_ALT_MON], [fil::DAY, fil::ABDAY]),
    language(
        "fil",
        [fil_ph::MON, fil_ph::ABMON],
        [fil_ph::ALT_MON, fil_ph::AB_ALT_MON],
        [fil_ph::DAY, fil_ph::ABDAY],
    ),
    language("sw", [sw::MON, sw::ABMON], [sw::ALT_MON, sw::AB_ALT_MON], [sw::DAY, sw::ABDAY]),
    language("am", [am::MON, am::ABMON], [am::ALT_MON, am::AB_ALT_MON], [am::DAY, am::ABDAY]),
];
