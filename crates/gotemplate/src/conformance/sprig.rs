//! Cases of Sprig's functions: each with arguments of the right kinds and of wrong ones.

use std::sync::{Arc, LazyLock};

use serde_json::{Map as Members, Value as Json, json};

use super::generate::Random;
use super::{fixtures, limits, text, value};
use crate::error::Error;
use crate::function::{Environment, Functions, UnixTime};
use crate::sprig;
use crate::template::Templates;

/// Cases of each function.
const CASES: usize = 60;

/// What an argument is made from.
#[derive(Clone, Copy)]
enum Argument {
    /// Any value.
    Any,
    /// A number of any kind, or what casts to one.
    Number,
    /// An int, small.
    Int,
    Uint32,
    Float,
    Bool,
    Text,
    /// A list of anything, or another value.
    Lists,
    Dict,
    /// One of these.
    Of(&'static [&'static str]),
    /// The date of a text: see [`DATES`].
    Time,
    /// Seconds since 1970, or a date.
    TimeOrSeconds,
    /// `string`, or `int64`
    Seconds,
    /// `[]interface {}`, or nil.
    Anys,
}

use Argument::{
    Any, Anys, Bool, Dict, Float, Int, Lists, Number, Of, Seconds, Text, Time, TimeOrSeconds,
    Uint32,
};

/// A function, its arguments, and those that it takes any number of.
struct Function {
    name: &'static str,
    arguments: &'static [Argument],
    rest: Option<Argument>,
}

const fn function(name: &'static str, arguments: &'static [Argument]) -> Function {
    Function {
        name,
        arguments,
        rest: None,
    }
}

const fn variadic(name: &'static str, arguments: &'static [Argument], rest: Argument) -> Function {
    Function {
        name,
        arguments,
        rest: Some(rest),
    }
}

/// Every function whose result depends on nothing but its arguments.
const FUNCTIONS: &[Function] = &[
    function("hello", &[]),
    // Strings
    function("abbrev", &[Int, Text]),
    function("abbrevboth", &[Int, Int, Text]),
    function("trunc", &[Int, Text]),
    function("trim", &[Text]),
    function("upper", &[Text]),
    function("lower", &[Text]),
    function("title", &[Text]),
    function("untitle", &[Text]),
    function("substr", &[Int, Int, Text]),
    function("repeat", &[Int, Text]),
    function("trimall", &[Of(CUTS), Text]),
    function("trimAll", &[Of(CUTS), Text]),
    function("trimSuffix", &[Of(CUTS), Text]),
    function("trimPrefix", &[Of(CUTS), Text]),
    function("nospace", &[Text]),
    function("initials", &[Text]),
    function("swapcase", &[Text]),
    function("snakecase", &[Of(CASED)]),
    function("camelcase", &[Of(CASED)]),
    function("kebabcase", &[Of(CASED)]),
    function("wrap", &[Int, Of(LONG)]),
    function("wrapWith", &[Int, Of(CUTS), Of(LONG)]),
    function("contains", &[Of(CUTS), Text]),
    function("hasPrefix", &[Of(CUTS), Text]),
    function("hasSuffix", &[Of(CUTS), Text]),
    variadic("quote", &[], Any),
    variadic("squote", &[], Any),
    variadic("cat", &[], Any),
    function("indent", &[Int, Of(LONG)]),
    function("nindent", &[Int, Of(LONG)]),
    function("replace", &[Of(CUTS), Text, Text]),
    function("plural", &[Text, Text, Int]),
    function("toString", &[Any]),
    function("split", &[Of(CUTS), Text]),
    function("splitList", &[Of(CUTS), Text]),
    function("splitn", &[Of(CUTS), Int, Text]),
    function("toStrings", &[Lists]),
    function("join", &[Of(CUTS), Lists]),
    function("sortAlpha", &[Lists]),
    // Numbers
    function("atoi", &[Of(NUMBERS)]),
    function("int64", &[Number]),
    function("int", &[Number]),
    function("float64", &[Number]),
    variadic("seq", &[], Int),
    function("toDecimal", &[Number]),
    function("until", &[Int]),
    function("untilStep", &[Int, Int, Int]),
    function("add1", &[Number]),
    variadic("add", &[], Number),
    function("sub", &[Number, Number]),
    function("div", &[Number, Number]),
    function("mod", &[Number, Number]),
    variadic("mul", &[Number], Number),
    function("add1f", &[Number]),
    variadic("addf", &[], Number),
    variadic("subf", &[Number], Number),
    variadic("divf", &[Number], Number),
    variadic("mulf", &[Number], Number),
    variadic("biggest", &[Number], Number),
    variadic("max", &[Number], Number),
    variadic("min", &[Number], Number),
    variadic("maxf", &[Number], Number),
    variadic("minf", &[Number], Number),
    function("ceil", &[Number]),
    function("floor", &[Number]),
    variadic("round", &[Number, Int], Float),
    // Defaults
    variadic("default", &[Any], Any),
    function("empty", &[Any]),
    variadic("coalesce", &[], Any),
    variadic("all", &[], Any),
    variadic("any", &[], Any),
    function("compact", &[Lists]),
    function("mustCompact", &[Lists]),
    function("fromJson", &[Of(JSON)]),
    function("mustFromJson", &[Of(JSON)]),
    function("toJson", &[Any]),
    function("toPrettyJson", &[Any]),
    function("toRawJson", &[Any]),
    function("mustToJson", &[Any]),
    function("mustToPrettyJson", &[Any]),
    function("mustToRawJson", &[Any]),
    function("ternary", &[Any, Any, Bool]),
    function("deepCopy", &[Any]),
    function("mustDeepCopy", &[Any]),
    function("fail", &[Text]),
    // Reflection
    function("typeOf", &[Any]),
    function("typeIs", &[Of(TYPES), Any]),
    function("typeIsLike", &[Of(TYPES), Any]),
    function("kindOf", &[Any]),
    function("kindIs", &[Of(TYPES), Any]),
    function("deepEqual", &[Any, Any]),
    // Paths
    function("base", &[Of(PATHS)]),
    function("dir", &[Of(PATHS)]),
    function("clean", &[Of(PATHS)]),
    function("ext", &[Of(PATHS)]),
    function("isAbs", &[Of(PATHS)]),
    function("osBase", &[Of(PATHS)]),
    function("osDir", &[Of(PATHS)]),
    function("osClean", &[Of(PATHS)]),
    function("osExt", &[Of(PATHS)]),
    function("osIsAbs", &[Of(PATHS)]),
    // Encodings
    function("b64enc", &[Text]),
    function("b64dec", &[Of(BASE64)]),
    function("b32enc", &[Text]),
    function("b32dec", &[Of(BASE32)]),
    // Dictionaries
    variadic("tuple", &[], Any),
    variadic("list", &[], Any),
    variadic("dict", &[], Any),
    function("get", &[Dict, Of(KEYS)]),
    function("set", &[Dict, Of(KEYS), Any]),
    function("unset", &[Dict, Of(KEYS)]),
    function("hasKey", &[Dict, Of(KEYS)]),
    variadic("pluck", &[Of(KEYS)], Dict),
    variadic("keys", &[], Dict),
    variadic("pick", &[Dict], Of(KEYS)),
    variadic("omit", &[Dict], Of(KEYS)),
    variadic("merge", &[Dict], Dict),
    variadic("mergeOverwrite", &[Dict], Dict),
    variadic("mustMerge", &[Dict], Dict),
    variadic("mustMergeOverwrite", &[Dict], Dict),
    function("values", &[Dict]),
    function("dig", &[Of(KEYS), Any, Dict]),
    function("dig", &[Of(KEYS), Of(KEYS), Any, Dict]),
    // Lists
    function("append", &[Lists, Any]),
    function("push", &[Lists, Any]),
    function("mustAppend", &[Lists, Any]),
    function("mustPush", &[Lists, Any]),
    function("prepend", &[Lists, Any]),
    function("mustPrepend", &[Lists, Any]),
    function("first", &[Lists]),
    function("mustFirst", &[Lists]),
    function("rest", &[Lists]),
    function("mustRest", &[Lists]),
    function("last", &[Lists]),
    function("mustLast", &[Lists]),
    function("initial", &[Lists]),
    function("mustInitial", &[Lists]),
    function("reverse", &[Lists]),
    function("mustReverse", &[Lists]),
    function("uniq", &[Lists]),
    function("mustUniq", &[Lists]),
    variadic("without", &[Lists], Any),
    variadic("mustWithout", &[Lists], Any),
    function("has", &[Any, Lists]),
    function("mustHas", &[Any, Lists]),
    variadic("slice", &[Lists], Int),
    variadic("mustSlice", &[Lists], Int),
    variadic("concat", &[], Lists),
    function("chunk", &[Int, Lists]),
    function("mustChunk", &[Int, Lists]),
    // Dates
    function("date", &[Of(LAYOUTS), TimeOrSeconds]),
    function("date_in_zone", &[Of(LAYOUTS), TimeOrSeconds, Of(ZONES)]),
    function("dateInZone", &[Of(LAYOUTS), TimeOrSeconds, Of(ZONES)]),
    function("date_modify", &[Of(DURATIONS), Time]),
    function("dateModify", &[Of(DURATIONS), Time]),
    function("must_date_modify", &[Of(DURATIONS), Time]),
    function("mustDateModify", &[Of(DURATIONS), Time]),
    function("duration", &[Seconds]),
    function("durationRound", &[Seconds]),
    function("htmlDate", &[TimeOrSeconds]),
    function("htmlDateInZone", &[TimeOrSeconds, Of(ZONES)]),
    function("toDate", &[Of(LAYOUTS), Of(DATES)]),
    function("mustToDate", &[Of(LAYOUTS), Of(DATES)]),
    function("unixEpoch", &[Time]),
    // Digests and passwords
    function("sha1sum", &[Text]),
    function("sha256sum", &[Text]),
    function("sha512sum", &[Text]),
    function("adler32sum", &[Text]),
    function("decryptAES", &[Text, Of(ENCRYPTED)]),
    function("buildCustomCert", &[Of(BASE64), Of(BASE64)]),
    // Versions
    function("semver", &[Of(VERSIONS)]),
    function("semverCompare", &[Of(CONSTRAINTS), Of(VERSIONS)]),
    // Regular expressions
    function("regexMatch", &[Of(REGEXES), Of(SUBJECTS)]),
    function("mustRegexMatch", &[Of(REGEXES), Of(SUBJECTS)]),
    function("regexFind", &[Of(REGEXES), Of(SUBJECTS)]),
    function("mustRegexFind", &[Of(REGEXES), Of(SUBJECTS)]),
    function("regexFindAll", &[Of(REGEXES), Of(SUBJECTS), Int]),
    function("mustRegexFindAll", &[Of(REGEXES), Of(SUBJECTS), Int]),
    function(
        "regexReplaceAll",
        &[Of(REGEXES), Of(SUBJECTS), Of(REPLACEMENTS)],
    ),
    function(
        "mustRegexReplaceAll",
        &[Of(REGEXES), Of(SUBJECTS), Of(REPLACEMENTS)],
    ),
    function(
        "regexReplaceAllLiteral",
        &[Of(REGEXES), Of(SUBJECTS), Of(REPLACEMENTS)],
    ),
    function(
        "mustRegexReplaceAllLiteral",
        &[Of(REGEXES), Of(SUBJECTS), Of(REPLACEMENTS)],
    ),
    function("regexSplit", &[Of(REGEXES), Of(SUBJECTS), Int]),
    function("mustRegexSplit", &[Of(REGEXES), Of(SUBJECTS), Int]),
    function("regexQuoteMeta", &[Of(REGEXES)]),
    // URLs
    function("urlParse", &[Of(URLS)]),
    function("urlJoin", &[Dict]),
    // Certificates that cannot be made
    function("genCAWithKey", &[Text, Int, Of(BAD_KEYS)]),
    function(
        "genSelfSignedCertWithKey",
        &[Text, Anys, Anys, Int, Of(BAD_KEYS)],
    ),
    function("genPrivateKey", &[Of(&["dsb", "RSA", "x y", "ed448"])]),
    function(
        "derivePassword",
        &[Uint32, Of(&["none", "Long", "x"]), Text, Text, Text],
    ),
];

/// Functions that are slow to run: fewer cases.
const SLOW: &[Function] = &[function(
    "derivePassword",
    &[
        Uint32,
        Of(&["maximum", "long", "medium", "short", "basic", "pin", "long"]),
        Text,
        Text,
        Text,
    ],
)];

/// Templates with several calls: methods of results, pipelines, results as arguments.
const TEMPLATES: &[&str] = &[
    r#"{{ with semver .v }}{{ .Major }} {{ .Minor }} {{ .Patch }} {{ .Prerelease }} {{ .Metadata }} {{ .Original }} {{ .String }} {{ . }}{{ end }}"#,
    r#"{{ $v := semver .v }}{{ $w := semver .w }}{{ $v.Compare $w }} {{ $v.Equal $w }} {{ $v.LessThan $w }} {{ $v.GreaterThan $w }} {{ $v.LessThanEqual $w }} {{ $v.GreaterThanEqual $w }}"#,
    r#"{{ with semver .v }}{{ .IncMajor }} {{ .IncMinor }} {{ .IncPatch }} {{ (.IncPatch).IncPatch }} {{ (.SetPrerelease "rc.1").Prerelease }} {{ (.SetMetadata "m").Metadata }}{{ end }}"#,
    r#"{{ (semver .v).SetPrerelease "01" }}"#,
    r#"{{ (semver .v).SetMetadata "a_b" }}"#,
    r#"{{ (semver .v).Nope }}"#,
    r#"{{ ((semver .v).IncMajor).Original }}"#,
    r#"{{ toJson (list (semver .v)) }} {{ deepEqual (semver .v) (semver .w) }} {{ deepCopy (semver .v) }}"#,
    r#"{{ typeOf (semver .v) }} {{ kindOf (semver .v) }} {{ typeIsLike "semver.Version" (semver .v) }} {{ typeOf ((semver .v).IncMinor) }} {{ kindOf ((semver .v).IncMinor) }}"#,
    r#"{{ $d := toDate .l .d }}{{ $d.Year }} {{ $d.Month }} {{ printf "%d" $d.Month }} {{ $d.Day }} {{ $d.Weekday }} {{ $d.YearDay }} {{ $d.Hour }} {{ $d.Unix }} {{ $d.UnixMilli }} {{ $d.IsZero }} {{ $d.IsDST }}"#,
    r#"{{ $d := toDate .l .d }}{{ $d }} {{ $d.UTC }} {{ $d.Format .l }} {{ toJson $d }} {{ typeOf $d }} {{ kindOf $d }} {{ typeOf $d.Month }} {{ deepCopy $d }} {{ $d | quote }} {{ int64 $d.Month }}"#,
    r#"{{ $d := toDate .l .d }}{{ $e := dateModify .m $d }}{{ $e.Sub $d }} {{ $e.After $d }} {{ $e.Before $d }} {{ $e.Equal $d }} {{ $e.Compare $d }} {{ ($e.Sub $d).Hours }} {{ ($e.Sub $d).Seconds }} {{ typeOf ($e.Sub $d) }} {{ int64 ($e.Sub $d) }} {{ duration ($e.Sub $d) }} {{ deepEqual $d $e }}"#,
    r#"{{ $d := toDate .l .d }}{{ ($d.AddDate 1 14 -40).Format "2006-01-02T15:04:05.999Z07:00" }} {{ dateInZone .l $d .z }} {{ htmlDateInZone $d .z }} {{ unixEpoch $d }} {{ $d.Nope }}"#,
    r#"{{ $m := dict "a" (dict "b" 1) }}{{ $n := merge $m (dict "a" (dict "c" 2) "d" .x) }}{{ $_ := set $n.a "e" .y }}{{ toJson $m }} {{ toJson $n }}"#,
    r#"{{ $a := dict }}{{ $b := dict "k" (dict "x" 1) }}{{ $_ := merge $a $b }}{{ $_ := set $a.k "y" 2 }}{{ toJson $b }}"#,
    r#"{{ $a := dict "k" (dict) }}{{ $b := dict "k" (dict "x" 1) }}{{ $_ := mergeOverwrite $a $b }}{{ $_ := set $a.k "y" .x }}{{ toJson $b }} {{ toJson $a }}"#,
    r#"{{ $a := deepCopy .p }}{{ $_ := set $a "new" .x }}{{ toJson .p }} {{ toJson $a }}"#,
    r#"{{ range $i, $e := untilStep 0 .n 3 }}{{ $i }}:{{ $e }},{{ end }}{{ seq 0 2 .n }}"#,
    r#"{{ list 1 "a" .x | toJson }} {{ tuple .x .y | toStrings | join "-" }} {{ list .x .y | has .x }} {{ list 3 1 .n | uniq | reverse | first }}"#,
    r#"{{ .t | default "none" | quote }} {{ .t | trunc 5 | upper | nindent 2 }} {{ .t | replace " " "_" | trimSuffix "_" | squote }}"#,
    r#"{{ .t | b64enc | b64dec }} {{ .t | b32enc | b32dec | eq .t }} {{ .t | sha256sum | trunc 8 }} {{ .t | splitList " " | last }}"#,
    r#"{{ ternary .x .y (empty .t) }} {{ coalesce .nope .t .x }} {{ all .x .y }} {{ any .nope .x }} {{ .nope | default .y }}"#,
    r#"{{ (split " " .t)._0 }} {{ (splitn " " 2 .t)._1 }} {{ (urlParse "http://u:p@h:80/p?q#f").host }} {{ dig "a" "b" .x (dict "a" (dict "b" .y)) }} {{ dig "a" "z" .x (dict "a" (dict "b" .y)) }}"#,
    r#"{{ add .n 1 | mul 2 | sub 100 }} {{ div .n 3 }} {{ mod .n 7 }} {{ max .n 5 3 }} {{ addf .n 0.1 | printf "%.3f" }} {{ round .n 2 }} {{ .n | int64 | toString }} {{ atoi (toString .n) }}"#,
    r#"{{ regexReplaceAll "(\\w)(\\w*)" .t "$2${1}y" }} {{ regexFindAll "[a-z]+" .t -1 | join "," }} {{ regexSplit "\\s+" .t -1 | toJson }} {{ regexMatch "^[A-Z]" .t }}"#,
    r#"{{ pick .p "a" "b" | toJson }} {{ omit .p "a" | toJson }} {{ pluck "a" .p (dict "a" .x) | toJson }} {{ keys .p | sortAlpha | join "," }} {{ values .p | toStrings | sortAlpha }} {{ hasKey .p "a" }} {{ get .p "b" }}"#,
    r#"{{ fromJson (toJson .p) | toPrettyJson }} {{ typeOf (fromJson "1") }} {{ kindOf (fromJson "[1]") }} {{ (fromJson "{\"a\":[1,2.5,null]}").a }}"#,
    r#"{{ chunk 2 (list 1 2 3 .x) | toJson }} {{ slice (list 1 2 3 .x) 1 3 | toJson }} {{ concat (list 1) (list .x) | toJson }} {{ without (list 1 2 .x) 1 | toJson }} {{ compact (list 0 "" .x) | toJson }}"#,
    r#"{{ fail .t }}"#,
    r#"{{ decryptAES "k" .t }}"#,
    r#"{{ snakecase .t }} {{ camelcase .t }} {{ kebabcase .t }} {{ swapcase .t }} {{ title .t }} {{ untitle .t }} {{ initials .t }} {{ nospace .t }}"#,
];

/// Templates that make certificates of given keys: what does not depend on chance is shown.
const CERTIFICATES: &[&str] = &[
    r#"{{ $c := genCAWithKey .t 10 .k }}{{ $c.Key }} {{ typeOf $c }} {{ kindOf $c }} {{ hasPrefix "-----BEGIN CERTIFICATE-----\n" $c.Cert }}"#,
    r#"{{ $c := genSelfSignedCertWithKey .t .i .n 1 .k }}{{ $c.Key }}"#,
    r#"{{ (genSelfSignedCertWithKey .t nil nil 1 .k).Key }}"#,
    r#"{{ $ca := genCAWithKey "ca" 10 .k }}{{ $c := genSignedCertWithKey .t .i .n 1 $ca .l }}{{ $c.Key }}{{ $c.Nope }}"#,
    r#"{{ $ca := genCAWithKey "ca" 10 .k }}{{ $bad := buildCustomCert (b64enc $ca.Cert) (b64enc .l) }}{{ (genSignedCertWithKey .t nil nil 1 $bad .l).Key }}"#,
    r#"{{ $c := buildCustomCert (b64enc "-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----\n") (b64enc .k) }}{{ $c.Key }}"#,
    r#"{{ genSignedCertWithKey .t .i .n 1 .x .k }}"#,
];

/// Private keys of every kind, of which some stand under the name of another.
static PRIVATE_KEYS: LazyLock<Vec<String>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../../conformance/keys.json")).unwrap_or_default()
});

const TEXTS: &[&str] = &[
    "",
    " ",
    "a",
    "A",
    "hello",
    "Hello World",
    "  padded\t\n",
    "foo_bar-baz qux",
    "FooBar",
    "a,b,,c",
    "a/b/c",
    "$5.00$",
    "one two three four five",
    "ünïcödé ÄÖÜ",
    "日本語テキスト",
    "\u{1f600} smile",
    "ǆ ǅ Ǆ ß ŉ",
    "İstanbul ıI",
    "line1\nline2\r\nline3",
    "tab\tsep",
    "\"quoted\" 'single'",
    "back\\slash",
    "<b>&amp;</b>",
    "\u{a0}nbsp\u{a0}",
    "\u{2003}em\u{2003}",
    "Ⅷ ⅷ",
    "ΑΣ ας",
    "x",
    "true",
    "1234567890",
    "The quick brown fox jumps over the lazy dog",
    "\u{7f}\u{0}ctl",
    "é",
    "aaaaaaaaaaaaaaaaaaaaaaaa",
];
const BROKEN: &[&[u8]] = &[
    b"\xff\xfeab",
    b"a\xc3",
    b"\xe2\x82 x",
    b"A\xed\xa0\x80b",
    b"x \xf0\x9f y",
];
const CUTS: &[&str] = &[
    "", " ", ",", "/", "a", "$", "o", "\n", "foo", "ü", "l", "Hello", "abc", "\u{fffd}", "語",
    ",,", "b",
];
const CASED: &[&str] = &[
    "",
    "FirstName",
    "HTTPServer",
    "NoHTTPS",
    "GO_PATH",
    "GO PATH",
    "GO-PATH",
    "http2xx",
    "HTTP20xOK",
    "Duration2m3s",
    "Bld4Floor3rd",
    "some_words",
    "http_server",
    "_complex__case_",
    "some words",
    "GOLANG_IS_GREAT",
    "a",
    "A",
    "aB",
    "AB",
    "ABc",
    "-",
    "--a--",
    "foo.bar",
    "foo...Bar",
    "1a2B3c",
    "日本ABC語",
    "ÄpfelÖl",
    "x_1",
    "1",
    "12ab",
    "ab12",
    "Ab12Cd",
    "AB12CD",
    "a  b",
    "héLLoWörld",
    "a$b",
    "A$B",
    "foo!Bar?baz",
    "ID",
    "userID",
    "UserIDs",
    "__init__",
    "ΑΒγ",
    "ǅx",
    "\u{301}a",
    "e\u{301}E",
    "٣a",
    "X1Y",
    "XY1z",
    "éÉ",
    " lead",
    "trail ",
    "a_-b",
    "ⅧⅧ",
    "№5",
];
const LONG: &[&str] = &[
    "",
    "short",
    "Hello, World",
    "The quick brown fox jumps over the lazy dog",
    "a b c d e f g",
    "averyveryverylongwordthatdoesnotfit in the line",
    "  leading spaces here",
    "trailing spaces   ",
    "multi\nline\ntext",
    "\n\n",
    "line\n",
    "ünïcödé wörds äre wräpped",
    "no-spaces-at-all-in-this-one",
    "日本語 テキスト を 折り返す",
    "tabs\tand spaces",
];
const NUMBERS: &[&str] = &[
    "",
    "0",
    "1",
    "-1",
    "42",
    "+7",
    "0755",
    "08",
    "0x1f",
    "0X1F",
    "0b101",
    "0o17",
    "1_000",
    "1__0",
    "_1",
    "1.0",
    "1.00",
    "1.5",
    "-2.5",
    ".5",
    "5.",
    "1e3",
    "1E-2",
    "inf",
    "-Inf",
    "+Infinity",
    "NaN",
    "nan",
    "abc",
    "12abc",
    " 12",
    "12 ",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "18446744073709551615",
    "99999999999999999999999",
    "1e400",
    "0x1p-2",
    "0x",
    "true",
    "false",
    "00",
    "0.0",
    "100.000",
    "1.0.0",
    "7.",
    "0777",
    "0888",
    "1,000",
    "--1",
    "+-1",
    "１",
];
const INTS: &[&str] = &[
    "0", "1", "-1", "2", "3", "4", "5", "6", "7", "8", "10", "12", "20", "-2", "-5", "30",
];
const LARGE: &[&str] = &[
    "100",
    "1000000",
    "9223372036854775807",
    "-9223372036854775808",
    "2147483648",
    "123456789012",
];
const FLOATS: &[&str] = &[
    "0",
    "-0",
    "1",
    "1.5",
    "-2.5",
    "2.5",
    "0.1",
    "0.2",
    "0.3",
    "3.14159265358979",
    "123.555555",
    "1e6",
    "1e15",
    "1e20",
    "1e21",
    "1e-7",
    "-1e19",
    "9.3e18",
    "1e300",
    "5e-324",
    "1.7976931348623157e308",
    "NaN",
    "+Inf",
    "-Inf",
    "0.5",
    "-0.5",
    "1e16",
    "100",
    "2",
    "1.005",
    "-1.005",
    "12345.6789",
];
const KEYS: &[&str] = &[
    "a", "b", "c", "x", "", "scheme", "host", "path", "é", "nope",
];
const JSON: &[&str] = &[
    "",
    "null",
    "true",
    "false",
    "0",
    "-1.5e3",
    "\"a\\u00e9\\n\"",
    "[]",
    "[1,2,[3]]",
    "{}",
    "{\"a\":1,\"a\":2}",
    "{\"b\":{\"c\":[null,true]}}",
    "{",
    "[1,]",
    "{\"a\"}",
    "nul",
    "01",
    "1 2",
    "\"\\ud83d\\ude00\"",
    "\"\\ud800\"",
    "1e400",
    "{\"a\":1e5}",
    "  [1]  ",
    "'a'",
    "\"tab\there\"",
    "[1,2",
    "{\"a\":}",
    "-",
    "123456789012345678901234567890",
    "\"\\x\"",
    "{\"<&>\":\"\u{2028}\"}",
    "\u{feff}1",
    "[true,false,null]",
];
const TYPES: &[&str] = &[
    "string",
    "int",
    "int64",
    "float64",
    "bool",
    "map",
    "slice",
    "map[string]interface {}",
    "[]interface {}",
    "[]string",
    "<nil>",
    "invalid",
    "struct",
    "ptr",
    "main.Person",
    "*main.Person",
    "main.Level",
    "func",
    "uint8",
];
const PATHS: &[&str] = &[
    "",
    ".",
    "..",
    "/",
    "//",
    "///",
    "a",
    "a/",
    "/a",
    "a/b",
    "/a/b/",
    "a//b",
    "a/./b",
    "a/../b",
    "../a",
    "../../a",
    "/../a",
    "a/b/../../..",
    "./a",
    "a.txt",
    "a.b.c",
    ".hidden",
    "dir.d/file",
    "file.",
    "/a/b.tar.gz",
    "a/..",
    "é/日本.語",
    "a\\b",
    "C:\\x",
    "a/b/c/./../../g",
    "/..//../x",
    "abc/def/",
    "x.y/z",
];
const BASE64: &[&str] = &[
    "",
    "YQ==",
    "YWI=",
    "YWJj",
    "YQ",
    "YQ=",
    "YQ===",
    "Y",
    "YWJjZA==",
    "Y W Jj",
    "YW\nJj\r\n",
    "YWJ*",
    "====",
    "=YQ=",
    "YQ=a",
    "YR==",
    "w6k=",
    "//79",
    "__79",
    "YWJjYWJjYWJjYWJj",
    "YWJjYWJjYWJjYWJ!",
    "YWJj=",
    "YWI=YWI=",
    "YQ=\n=",
    "YQ\n==\n",
    "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t",
    "aGVsbG8gd29ybGQ=",
];
const BASE32: &[&str] = &[
    "",
    "ME======",
    "MFRA====",
    "MFRGG===",
    "MFRGGZA=",
    "MFRGGZDF",
    "ME",
    "ME=====",
    "me======",
    "M1======",
    "MFRGGZDFMFRGGZDF",
    "MFRGGZD=MFRGGZDF",
    "ME==\n====",
    "=",
    "========",
    "M=======",
    "MFR=====",
    "MFRGGZDF*",
    "ME=A====",
    "MFRGGZDFME======",
    "MFRGGZDFM",
];
const ENCRYPTED: &[&str] = &[
    "",
    "YQ==",
    "!!",
    "AAAAAAAAAAAAAAAAAAAAAA==",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "AAAAAAAAAAAAAAAAAAAAAAA=",
    "30tEfhuJSVRhpG97XCuWgz2okj7L8vQ1s6V9zVUPeDQ=",
    "pHpsZmRmZ2hqa2xxd2VydHl1aW9wYXNkZmdoamtsenhjdmJubQ==",
    "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=",
];
const LAYOUTS: &[&str] = &[
    "2006-01-02",
    "2006-01-02T15:04:05Z07:00",
    "2006-01-02T15:04:05.999999999Z07:00",
    "Mon Jan _2 15:04:05 2006",
    "Mon Jan _2 15:04:05 MST 2006",
    "02 Jan 06 15:04 MST",
    "Monday, 02-Jan-06 15:04:05 MST",
    "Mon, 02 Jan 2006 15:04:05 -0700",
    "3:04PM",
    "3:04pm",
    "Jan _2 15:04:05.000",
    "15:04:05,000000",
    "2006-002",
    "__2 2006",
    "January 2, 2006",
    "Month Jan 1",
    "01/02/2006",
    "1/2/06",
    "06",
    "20060102150405",
    "_2006",
    "2006-01-02 15:04:05 -07:00",
    "Z0700 Z07 -07 -070000 -07:00:00 Z070000 Z07:00:00",
    "",
    "plain",
    "15h4m5s",
    "03:04:05.99 PM",
    "2006.01.02",
    "Mondays",
    "Januaryx",
    "Janx Jan",
    "05.0000000000",
    "é2006é",
    "MST",
];
const DATES: &[&str] = &[
    "2024-02-29",
    "2023-02-29",
    "2006-01-02T15:04:05Z",
    "2021-12-31T23:59:59.123456789+05:30",
    "2021-12-31T23:59:59-00:00",
    "Mon Jan  2 15:04:05 2006",
    "Mon Jan  2 15:04:05 MST 2006",
    "Tue Nov 10 23:00:00 UTC 2009",
    "02 Jan 06 15:04 EST",
    "Monday, 02-Jan-06 15:04:05 GMT+3",
    "Mon, 02 Jan 2006 15:04:05 -0700",
    "Mon, 02 Jan 2006 15:04:05 +0000",
    "3:04PM",
    "12:30am",
    "Jan  2 15:04:05.123",
    "15:04:05,123456",
    "2024-366",
    "2023-366",
    "060 2024",
    " 60 2023",
    "January 2, 2006",
    "february 30, 2006",
    "01/02/2006",
    "13/01/2006",
    "1/2/70",
    "1/2/68",
    "69",
    "20240229235959",
    "2006-01-02 15:04:05 -07:00",
    "",
    "plain",
    "garbage",
    "2024-13-01",
    "2024-01-32",
    "2024-1-1",
    "23h59m60s",
    "03:04:05.99 PM",
    "2024-02-29 extra",
    "0000-01-01",
    "9999-12-31",
    "2024.02.29",
    "24:00:00",
    "12:04PM",
    "13:04PM",
    "\u{ff}",
    "ChST",
    "UTC",
    "+03",
    "WITA",
    "AEST",
];
const ZONES: &[&str] = &[
    "",
    "UTC",
    "Local",
    "Europe/Berlin",
    "America/New_York",
    "Asia/Kolkata",
    "Asia/Tokyo",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Africa/Cairo",
    "Pacific/Apia",
    "europe/berlin",
    "Nowhere/City",
    "Etc/GMT+5",
    "../etc/passwd",
    "/UTC",
    "Europe/London",
    "Asia/Kathmandu",
];
const DURATIONS: &[&str] = &[
    "",
    "0",
    "1h",
    "-1.5h",
    "2h45m",
    "300ms",
    "1us",
    "1µs",
    "1ns",
    "-0.5s",
    "1d",
    "h",
    ".s",
    "1",
    "1.",
    "1.5.5h",
    "1h1",
    "9223372036854775807ns",
    "9223372036854775808ns",
    "-9223372036854775808ns",
    "2540400h10m10s",
    "+5s",
    "1h 2m",
    "0.000000001s",
    "100000000000000000000h",
    "3000000h",
    ".5m",
    "1.0000000000000000000001s",
    "1\"s",
    "é",
    "720h",
    "8760h1s",
    "61s",
    "1h0m0s",
];
const VERSIONS: &[&str] = &[
    "",
    "1",
    "1.2",
    "1.2.3",
    "v1.2.3",
    "V1.2.3",
    "1.2.3-alpha",
    "1.2.3-alpha.1",
    "1.2.3-alpha.beta",
    "1.2.3-beta.11",
    "1.2.3-beta.2",
    "1.2.3-rc.1+build.5",
    "1.2.3+build",
    "1.2.3-01",
    "1.2.3-0",
    "1.2.3-",
    "1.2.3+",
    "1.2.3.4",
    "1.2.x",
    "01.2.3",
    "1.02.3",
    "1.28.3-gke.100",
    "1.20.0",
    "0.0.1",
    "0.2.3",
    "0.0.0",
    "2.0.0",
    "10.0.0",
    "1.2.3-a.b.c.d",
    "18446744073709551615.0.0",
    "18446744073709551616.0.0",
    "1.18446744073709551616",
    " 1.2.3",
    "1.2.3 ",
    "1..2",
    "1.2.3-a..b",
    "1.2.3--",
    "1.2.3-x_y",
    "v",
    "1.2.3-1",
    "1.2.3-18446744073709551616",
    "1.10.0",
    "1.9.9",
    "1.2-beta",
    "1-beta",
    "é",
];
const CONSTRAINTS: &[&str] = &[
    "",
    "*",
    "1",
    "1.2",
    "1.2.3",
    "=1.2.3",
    "!=1.2.3",
    ">1.2.3",
    "<1.2.3",
    ">=1.2.3",
    "=>1.2.3",
    "<=1.2.3",
    "=<1.2.3",
    "~1.2.3",
    "~>1.2",
    "^1.2.3",
    "^0.2.3",
    "^0.0.1",
    "^0.0",
    "^0",
    "~1",
    "~0",
    "1.x",
    "1.2.x",
    "1.*",
    "x",
    "X",
    ">1",
    ">1.2",
    "<1",
    "<=1",
    "<=1.2",
    ">=1.20",
    ">=1.20-0",
    ">= 1.2.0, < 2.0.0",
    ">=1.2 <2",
    "1.2 - 1.4",
    "1.2.0 - 1.4.5",
    "^1 || ^2",
    "<1 || >=2.0.0",
    "1.2.3-alpha",
    ">=1.2.3-alpha",
    "^1.2.3-beta.2",
    "~1.2.3-alpha",
    "!=1.2",
    "!=1",
    "!=1.x",
    "!=1.2.x-alpha",
    ">=v1.2.3",
    ">>1",
    "foo",
    "1.2.3.4",
    ">=1.2.3,",
    ",1",
    "1 1",
    "1,,2",
    "||",
    "1||",
    ">= 1.2.3 || foo",
    "^*",
    "~*",
    ">*",
    "<*",
    "1.2.3 - ",
    "- 1",
    "1 - 2 - 3",
    "1|2",
    "^1.x.x",
    "~1.x",
    ">=1.x",
    ">1.2.x",
    "<=1.2.x",
    "=1",
    "= 1.2",
    "!1",
    "^ 1.2",
    "1.2.3+build",
    "<2.0.0-0",
    ">=0.0.0-0",
    "18446744073709551616",
    " >= 1 ",
    "\t1",
    "1\n",
];
const REGEXES: &[&str] = &[
    "",
    "a",
    "a*",
    "a+",
    "a?",
    "a*?",
    "(a)(b)?",
    "(?P<n>\\w+)",
    "(?<n>\\d+)",
    "[a-z]+",
    "[^a-z]",
    "\\d+",
    "\\D",
    "\\s+",
    "\\S",
    "\\w+",
    "\\W+",
    "^a",
    "a$",
    "(?m)^\\w",
    "(?m)$",
    "(?i)HELLO",
    "(?i)[k]",
    "(?i)\\w",
    "(?s).+",
    ".+",
    "(?U)a+",
    "(?U)a+?",
    "\\bfoo\\b",
    "\\B",
    "\\Aa",
    "a\\z",
    "\\pL+",
    "\\p{Greek}",
    "\\p{Lu}",
    "\\P{L}+",
    "\\p{^L}",
    "\\p{Letter}",
    "\\p{letter}",
    "\\p{Han}+",
    "\\p{Any}",
    "\\p{ASCII}+",
    "\\p{Nope}",
    "\\p",
    "\\p{L",
    "[[:alpha:]]+",
    "[[:^digit:]]",
    "[[:word:]]",
    "[[:foo:]]",
    "[a",
    "[]a]",
    "[^]a]",
    "[a-]",
    "[-a]",
    "[z-a]",
    "[\\d\\-x]+",
    "[\\pL_]+",
    "(",
    ")",
    "(a",
    "a)",
    "(?:a|b)+",
    "a|b|",
    "|",
    "(|a)+",
    "a{2}",
    "a{2,}",
    "a{1,3}",
    "a{,3}",
    "a{3,1}",
    "a{1001}",
    "(a{10}){101}",
    "a{",
    "a{2",
    "a**",
    "a+*",
    "a{2}{3}",
    "*",
    "+a",
    "?",
    "(*)",
    "|*",
    "(?i)*",
    "a(?i)*",
    "\\",
    "\\q",
    "\\1",
    "\\01",
    "\\x41",
    "\\x{1F600}",
    "\\x{}",
    "\\x{110000}",
    "\\xZ",
    "\\Q.+\\E",
    "\\Qa\\Eb",
    "\\E",
    "\\C",
    "\\Z",
    "\\a\\f\\n\\r\\t\\v",
    "\\.",
    "\\_",
    "\\é",
    "(?P<n",
    "(?P<>a)",
    "(?P<a-b>x)",
    "(?P<n>a)(?P<n>b)",
    "(?z)",
    "(?i",
    "(?i-s:a.)",
    "(?-)",
    "(?i-)",
    "(?=a)",
    "(?<a",
    "(?#c)",
    "é",
    "日本",
    "[日-語]",
    "(a+)+$",
    "x*",
    "(?:)",
    "()",
    "((a)|b)*",
    "\u{1f600}",
    "[\u{1f600}-\u{1f64f}]",
    "(?i)ß",
    "(?i)ſ",
    "[&&a]",
    "[a--b]",
    "[a~~b]",
    "[[a]b]",
    "a b",
    "#c",
    "<a>",
    "\\<",
    "[\\b]",
    "\\8",
    "\\08",
    "^*",
    "$+",
    "\\b+",
    "(?m)^$",
    "[\\x00-\\x{10FFFF}]",
    "[^\\x00-\\x{10FFFF}]",
    "\\p{Cs}",
    "\\pC",
    "\\p{Latin}+",
    "\\p{Old_Italic}",
    "a]",
    "}",
    "{",
    "{1}",
    "]",
];
const SUBJECTS: &[&str] = &[
    "",
    "a",
    "aaa",
    "ab",
    "abcabc",
    "baaab",
    "hello world",
    "HELLO Hello hello",
    "foo bar foo",
    "123 abc 456",
    "a1b2c3",
    "line1\nline2\n",
    "\n",
    "αβγ ΑΒΓ",
    "日本語 text",
    "\u{1f600}\u{1f601}",
    "ß SS ſ K k",
    "a.b+c",
    "tab\there",
    "x-y_z",
    "...",
    "A",
    " ",
    "aXbXc",
    ",a,,b,",
    "(a)",
    "[a]",
    "éèê",
    "foo.bar@example.com",
    "2024-02-29",
    "\u{fffd}",
    "\\d",
    "aaaaaaaaaaaaaaaaaaaaa!",
];
const REPLACEMENTS: &[&str] = &[
    "", "x", "$1", "${1}", "$0$0", "$n", "${n}", "$1x", "${1}x", "$$", "$", "$ ", "${", "${1",
    "${}", "$10", "$01", "${-1}", "é$1é", "$2$1", "\\1", "[$0]", "$é", "${n}$9",
];
const URLS: &[&str] = &[
    "",
    "http://example.com",
    "http://user:pass@example.com:8080/a/b?q=1&r=2#frag",
    "https://[::1]:80/x",
    "http://[fe80::1%25en0]/",
    "mailto:a@b.c",
    "/path/only",
    "path/only",
    "//host/path",
    "///a",
    "http:///a",
    "http:a",
    "a:b",
    ":a",
    "1:b",
    "*",
    "?q",
    "#f",
    "a?b?c",
    "http://a/%41%2f%zz",
    "http://a/%2",
    "http://%41/",
    "http://%e9/",
    "http://a b/",
    "http://a/b c",
    "http://a:b/",
    "http://a:1:2/",
    "tcp://a:1,b:2/",
    "http://[::1",
    "http://::1]/",
    "http://a[b]/",
    "http://[1.2.3.4]/",
    "http://[::ffff:1.2.3.4]/",
    "http://[g::]/",
    "http://[1:2:3:4:5:6:7:8:9]/",
    "http://[::1%25]/",
    "http://[%25en]/",
    "http://[1::2::3]/",
    "http://[12345::]/",
    "http://[1:]/",
    "http://[abc]/",
    "http://u@h@x/",
    "http://u%40:p%3a@h/",
    "http://u p@h/",
    "http://ü@h/",
    "http://é.com/ü?ö#ä",
    "HTTP://Example.COM/",
    "a+b-c.d:x",
    "http://a/;b,c=d",
    "http://a/?",
    "http://a/#",
    "http://a/#%zz",
    "http://a/\u{7f}",
    "http://a/\n",
    "http://<a>/",
    "http://a\"b/",
    "this:that/x",
    "./this:that",
    "http://h/a%20b+c",
    "http://h?x#y?z",
    "x://[::]:",
    "http://h:/p",
    "http://[1:2:3:4:5:6:1.2.3]/",
    "http://[1:2:3:4:5:6:01.2.3.4]/",
    "http://[::1.2.3.256]/",
    "http://[1:2]/",
    "http://[1:2:3:4:5:6:7::8]/",
    "http://[::1]a/",
    "http://[::1]:a/",
];
const BAD_KEYS: &[&str] = &[
    "",
    "x",
    "-----BEGIN FOO-----\nYQ==\n-----END FOO-----\n",
    "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY",
    "-----BEGIN X PRIVATE KEY-----\nYQ==\n-----END X PRIVATE KEY-----\n",
    "-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----",
];
const HOSTS: &[&str] = &[
    "person", "level", "mode", "label", "failure", "names", "settings", "nobody",
];
const ENTRIES: &[&str] = &[
    "a", "b", "c", "x", "host", "path", "scheme", "é", "10", "2", "userinfo", "query",
];

fn text_value(random: &mut Random) -> Json {
    if random.percent(5) {
        return json!({ "string": text(BROKEN[random.below(BROKEN.len())]) });
    }
    json!({ "string": random.pick(TEXTS) })
}

fn number(random: &mut Random) -> Json {
    match random.below(16) {
        0..=3 => json!({ random.pick(&["int", "int64", "int32", "int8"]): random.pick(INTS) }),
        4 => json!({ random.pick(&["int", "int64"]): random.pick(LARGE) }),
        5 => {
            json!({ random.pick(&["uint", "uint8", "uint64"]): random.pick(&["0", "1", "7", "255"]) })
        }
        6 => json!({ "uint64": "18446744073709551615" }),
        7..=9 => json!({ "float64": random.pick(FLOATS) }),
        10 => json!({ "float32": random.pick(&["0.1", "1.5", "-2.25", "16777216"]) }),
        11..=13 => json!({ "string": random.pick(NUMBERS) }),
        14 => json!({ "bool": random.percent(50) }),
        _ => any(random, 1),
    }
}

fn any(random: &mut Random, depth: usize) -> Json {
    match random.below(20) {
        0..=3 => text_value(random),
        4 | 5 => json!({ random.pick(&["int", "int64"]): random.pick(INTS) }),
        6 | 7 => json!({ "float64": random.pick(FLOATS) }),
        8 => json!({ "bool": random.percent(50) }),
        9 | 10 => Json::Null,
        11 | 12 if depth < 3 => list(random, depth + 1),
        13..=15 if depth < 3 => dict(random, depth + 1),
        16 => json!({ "host": random.pick(HOSTS) }),
        17 => json!({ "bytes": text(TEXTS[random.below(TEXTS.len())].as_bytes()) }),
        18 => json!({ random.pick(&["uint8", "uint64", "int32"]): random.pick(&["0", "1", "65"]) }),
        _ => json!({ "string": random.pick(&["a", "b", ""]) }),
    }
}

fn items(random: &mut Random, item: impl Fn(&mut Random) -> Json) -> Json {
    (0..random.below(5)).map(|_| item(random)).collect()
}

fn list(random: &mut Random, depth: usize) -> Json {
    match random.below(12) {
        0 | 1 => json!({ "list": ["string", items(random, text_value)] }),
        2 => {
            json!({ "list": ["int", items(random, |random| json!({ "int": random.pick(INTS) }))] })
        }
        3 => json!({ "list": ["interface {}", null] }),
        4 => json!({ "list": ["string", null] }),
        5 => {
            json!({ "list": ["float64", items(random, |random| json!({ "float64": random.pick(FLOATS) }))] })
        }
        _ => json!({ "list": ["interface {}", items(random, |random| any(random, depth))] }),
    }
}

fn entries(random: &mut Random, item: impl Fn(&mut Random) -> Json) -> Json {
    let mut members = Members::new();
    for _ in 0..random.below(5) {
        members.insert(random.pick(ENTRIES).to_owned(), item(random));
    }
    members.into()
}

fn dict(random: &mut Random, depth: usize) -> Json {
    match random.below(16) {
        0 if depth > 0 => json!({ "map": ["string", entries(random, text_value)] }),
        1 if depth > 0 => {
            json!({ "map": ["int", entries(random, |random| json!({ "int": random.pick(INTS) }))] })
        }
        2 => json!({ "map": ["interface {}", null] }),
        3 if depth > 0 => json!({ "map": ["string", null] }),
        4..=6 => json!({ "map": ["interface {}", entries(random, text_value)] }),
        7..=9 => {
            json!({ "map": ["interface {}", entries(random, |random| dict(random, depth + 2))] })
        }
        _ => json!({ "map": ["interface {}", entries(random, |random| any(random, depth))] }),
    }
}

/// An argument: a value of the data, or an expression that makes it.
fn argument(random: &mut Random, argument: Argument) -> Json {
    // Arguments of wrong kinds, but where the result would then be that of the moment.
    if random.percent(9) && !matches!(argument, TimeOrSeconds | Seconds) {
        return any(random, 0);
    }
    match argument {
        Any => any(random, 0),
        Number => number(random),
        Int if random.percent(4) => json!({ "int": random.pick(LARGE) }),
        Int => json!({ "int": random.pick(INTS) }),
        Uint32 => json!({ "uint32": random.pick(&["0", "1", "2", "4294967295"]) }),
        Float => json!({ "float64": random.pick(FLOATS) }),
        Bool => json!({ "bool": random.percent(50) }),
        Text => text_value(random),
        Anys if random.percent(10) => json!({ "list": ["interface {}", null] }),
        Anys => json!({ "list": ["interface {}", items(random, |random| match random.below(6) {
            0 => any(random, 2),
            1 => json!({ "string": "999.1.1.1" }),
            _ => json!({ "string": random.pick(&["127.0.0.1", "::1", "10.0.0.1", "a.b"]) }),
        })] }),
        Lists if random.percent(85) => list(random, 0),
        Lists => any(random, 0),
        Dict => dict(random, 0),
        Of(choices) => json!({ "string": random.pick(choices) }),
        Time => {
            let pair = [
                ("2006-01-02", "2024-02-29"),
                (
                    "2006-01-02T15:04:05Z07:00",
                    "2021-12-31T23:59:59.123456789+05:30",
                ),
                ("02 Jan 06 15:04 MST", "02 Jan 06 15:04 EST"),
                ("2006-01-02 15:04:05", "1969-07-20 20:17:40"),
                ("3:04PM", "3:04PM"),
                ("2006", "9999"),
                ("2006", "nope"),
                ("2006-01-02T15:04:05Z07:00", "2023-03-26T01:30:00Z"),
                ("2006-01-02T15:04:05Z07:00", "2023-07-01T12:00:00-07:00"),
            ];
            let (layout, date) = pair[random.below(pair.len())];
            json!({ "expression": format!("(toDate \"{layout}\" \"{date}\")") })
        }
        TimeOrSeconds => match random.below(5) {
            0..=2 => self::argument_of_time(random),
            _ => json!({ random.pick(&["int", "int64", "int32"]): random.pick(&[
                "0", "1", "-1", "86399", "1700000000", "951782400", "-2000000000", "1679792400", "1698541200",
            ]) }),
        },
        Seconds => match random.below(6) {
            0..=2 => json!({ "string": random.pick(DURATIONS) }),
            3 => json!({ "string": random.pick(NUMBERS) }),
            4 => json!({ "int64": random.pick(&[
                "0", "1", "-1", "59", "60", "3600", "86400", "1000000000", "60000000000", "3600000000001",
                "2592000000000001", "31536000000000001", "9223372036854775807", "-9223372036854775808", "95",
            ]) }),
            _ => json!({ random.pick(&["int", "float64", "uint64"]): "95" }),
        },
    }
}

fn argument_of_time(random: &mut Random) -> Json {
    loop {
        let time = argument(random, Time);
        if time.get("expression").is_some() {
            return time;
        }
    }
}

fn case(random: &mut Random, function: &Function) -> Json {
    let mut arguments: Vec<Json> = Vec::new();
    let rest = function
        .rest
        .map_or_else(Vec::new, |rest| vec![rest; random.below(4)]);
    for kind in function.arguments.iter().chain(&rest) {
        // Go fills the memory of the machine when it is asked to.
        let fills = ["repeat", "indent", "nindent", "until", "untilStep", "seq"];
        arguments.push(loop {
            let argument = argument(random, *kind);
            let number = argument["int"].as_str().unwrap_or_default();
            if number.len() < 4 || !fills.contains(&function.name) {
                break argument;
            }
        });
    }
    // Sometimes there are too few arguments or too many.
    if !arguments.is_empty() && random.percent(2) {
        arguments.pop();
    } else if random.percent(1) {
        arguments.push(any(random, 2));
    }
    let mut data = Members::new();
    let mut call = function.name.to_owned();
    for (index, argument) in arguments.into_iter().enumerate() {
        if let Some(expression) = argument["expression"].as_str() {
            call.push(' ');
            call.push_str(expression);
        } else {
            call.push_str(&format!(" .a{index}"));
            data.insert(format!("a{index}"), argument);
        }
    }
    let result = match function.name {
        "keys" => format!("{call} | sortAlpha"),
        "values" => format!("{call} | toStrings | sortAlpha"),
        _ => call,
    };
    let shown = match function.name {
        "semver" | "toDate" | "mustToDate" | "date_modify" | "dateModify" | "mustDateModify"
        | "must_date_modify" => "%T|%v",
        _ => "%T|%v|%#v",
    };
    let values = " $r".repeat(shown.matches('%').count());
    let mut template = format!("{{{{ $r := {result} }}}}{{{{ printf \"{shown}\"{values} }}}}");
    if matches!(
        function.name,
        "set" | "unset" | "merge" | "mergeOverwrite" | "mustMerge" | "mustMergeOverwrite"
    ) {
        template.push_str("{{ printf \"|%#v\" .a0 }}");
    }
    json!({
        "function": function.name,
        "templates": [["t", template]],
        "data": { "map": ["interface {}", data] },
    })
}

/// The cases.
pub(super) fn generate(random: &mut Random) -> Vec<Json> {
    let mut cases = Vec::new();
    for function in FUNCTIONS {
        let count = match function.arguments.len() {
            0 if function.rest.is_none() => 1,
            _ if function.name.to_ascii_lowercase().contains("regex") => CASES * 4,
            _ if function.name.contains("semver") => CASES * 6,
            _ if function.name.contains("merge") || function.name.contains("Merge") => CASES * 3,
            _ if matches!(
                function.name,
                "urlParse" | "toDate" | "mustToDate" | "snakecase"
            ) =>
            {
                CASES * 4
            }
            _ => CASES,
        };
        cases.extend((0..count).map(|_| case(random, function)));
    }
    for function in SLOW {
        cases.extend((0..10).map(|_| case(random, function)));
    }
    for template in TEMPLATES {
        for _ in 0..12 {
            let data = json!({
                "v": { "string": random.pick(VERSIONS) },
                "w": { "string": random.pick(VERSIONS) },
                "l": { "string": random.pick(LAYOUTS) },
                "d": { "string": random.pick(DATES) },
                "m": { "string": random.pick(DURATIONS) },
                "z": { "string": random.pick(ZONES) },
                "n": { "int": random.pick(INTS) },
                "t": text_value(random),
                "x": any(random, 1),
                "y": any(random, 1),
                "p": dict(random, 0),
            });
            cases.push(json!({
                "function": "(several)",
                "templates": [["t", template]],
                "data": { "map": ["interface {}", data] },
            }));
        }
    }
    for template in CERTIFICATES {
        for _ in 0..40 {
            let key = |random: &mut Random| {
                if random.percent(8) {
                    return json!({ "string": random.pick(BAD_KEYS) });
                }
                // Those that stand under their own name.
                let good = [0, 1, 4, 7, 9, 12, 14, 17, 19, 20];
                let index = if random.percent(80) {
                    good[random.below(good.len())]
                } else {
                    random.below(PRIVATE_KEYS.len())
                };
                json!({ "string": PRIVATE_KEYS[index] })
            };
            let data = json!({
                "k": key(random),
                "l": key(random),
                "t": text_value(random),
                "x": any(random, 1),
                "i": argument(random, Anys),
                "n": { "list": ["interface {}", items(random, |random| match random.below(8) {
                    0 => any(random, 2),
                    1 => json!({ "string": "b\u{fc}cher.example" }),
                    _ => json!({ "string": random.pick(&["a.example", "*.b.example", "localhost"]) }),
                })] },
            });
            cases.push(json!({
                "function": "(certificates)",
                "templates": [["t", template]],
                "data": { "map": ["interface {}", data] },
            }));
        }
    }
    cases
}

/// A world in which nothing is left to chance.
struct Fixed;

impl Environment for Fixed {
    fn random(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        bytes.fill(7);
        Ok(())
    }

    fn now(&mut self) -> Result<UnixTime, Error> {
        Ok(UnixTime {
            seconds: 1_700_000_000,
            nanoseconds: 0,
        })
    }
}

static SPRIG: LazyLock<Arc<Functions>> = LazyLock::new(|| Arc::new(sprig::functions()));

/// Runs a case.
pub(super) fn run(case: &Json) -> Result<Vec<u8>, String> {
    let pair = &case["templates"][0];
    let name = fixtures::bytes(&pair[0]);
    let mut templates = Templates::new(name.clone(), Arc::clone(&SPRIG));
    templates
        .parse(name.clone(), fixtures::bytes(&pair[1]))
        .map_err(|error| error.to_string())?;
    templates
        .execute(name, &value(&case["data"]), &mut Fixed, limits())
        .map(|output| output.text)
        .map_err(|error| error.to_string())
}
