//! URLs as Go's net/url parses and prints them.

use crate::error::Error;
use crate::function::Functions;
use crate::string::Str;
use crate::text::quote;
use crate::types::{Kind, Type};
use crate::value::{Map, Value};

use super::{go, strings};

pub(super) fn register(functions: &mut Functions) {
    let dict = || Type::map(Type::Any);
    functions.add("urlParse", [Type::String], dict(), |_, args| {
        let url = Url::parse(args.string(0)?)
            .map_err(|error| Error::new(format!("unable to parse url: {error}")))?;
        let entries = [
            ("scheme", url.scheme.clone()),
            ("host", url.host.clone()),
            ("hostname", url.hostname()),
            ("path", url.path),
            ("query", url.query),
            ("opaque", url.opaque),
            ("fragment", url.fragment),
            (
                "userinfo",
                url.user.as_ref().map(User::text).unwrap_or_default(),
            ),
        ];
        Ok(Value::map(
            entries.map(|(key, value)| (Str::from(key), Value::from(value))),
        ))
    });
    functions.add("urlJoin", [dict()], Type::String, |_, args| {
        let map = args.map(0)?;
        let mut url = Url {
            scheme: part(map, "scheme")?,
            host: part(map, "host")?,
            path: part(map, "path")?,
            query: part(map, "query")?,
            opaque: part(map, "opaque")?,
            fragment: part(map, "fragment")?,
            ..Url::default()
        };
        let user = part(map, "userinfo")?;
        if !user.is_empty() {
            url.user = Url::parse(&[b"proto://", &*user, b"@host"].concat())
                .map_err(|error| Error::new(format!("unable to parse userinfo in dict: {error}")))?
                .user;
        }
        Ok(url.text().into())
    });
}

fn part(map: &Map, key: &str) -> Result<Vec<u8>, Error> {
    let Some(value) = map.get(key.as_bytes()) else {
        return Ok(Vec::new());
    };
    let kind = go::kind_of_type(&value)?;
    match &*value.plain() {
        Value::String(text) if kind == Kind::String => Ok(text.to_vec()),
        _ => Err(Error::new(format!(
            "unable to parse {key} key, must be of type string, but {} found",
            kind.name()
        ))),
    }
}

#[derive(Default)]
struct Url {
    scheme: Vec<u8>,
    opaque: Vec<u8>,
    user: Option<User>,
    host: Vec<u8>,
    path: Vec<u8>,
    query: Vec<u8>,
    fragment: Vec<u8>,
}

struct User {
    name: Vec<u8>,
    password: Option<Vec<u8>>,
}

impl User {
    fn text(&self) -> Vec<u8> {
        let mut text = escape(&self.name, Part::User);
        if let Some(password) = &self.password {
            text.push(b':');
            text.extend(escape(password, Part::User));
        }
        text
    }
}

/// The part of a URL, which decides about escapes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Path,
    User,
    Host,
    Zone,
    Fragment,
}

impl Part {
    fn must_escape(self, byte: u8) -> bool {
        if byte.is_ascii_alphanumeric() {
            return false;
        }
        match byte {
            b'-' | b'_' | b'.' | b'~' => return false,
            _ => {}
        }
        match self {
            Self::Path => !b"$&+,/:;=@".contains(&byte),
            Self::User => !b"$&+,;=".contains(&byte),
            Self::Host | Self::Zone => !b"!$&'()*+,;=:[]<>\"".contains(&byte),
            Self::Fragment => !b"$&+,/:;=?@!()*".contains(&byte),
        }
    }
}

impl Url {
    fn parse(text: &[u8]) -> Result<Self, String> {
        let (before, fragment) = cut(text, b'#');
        let mut url = Self::parse_without_fragment(before)
            .map_err(|error| format!("parse {}: {error}", quote::quoted(before)))?;
        url.fragment = unescape(fragment, Part::Fragment)
            .map_err(|error| format!("parse {}: {error}", quote::quoted(text)))?;
        Ok(url)
    }

    fn parse_without_fragment(text: &[u8]) -> Result<Self, String> {
        if text.iter().any(|byte| *byte < b' ' || *byte == 0x7f) {
            return Err("net/url: invalid control character in URL".into());
        }
        let mut url = Self::default();
        if text == b"*" {
            url.path = b"*".to_vec();
            return Ok(url);
        }
        let (scheme, rest) = split_scheme(text)?;
        url.scheme = scheme.to_ascii_lowercase();
        let (mut rest, query) = cut(rest, b'?');
        url.query = query.to_vec();
        if !rest.starts_with(b"/") {
            if !url.scheme.is_empty() {
                url.opaque = rest.to_vec();
                return Ok(url);
            }
            if cut(rest, b'/').0.contains(&b':') {
                return Err("first path segment in URL cannot contain colon".into());
            }
        }
        if (!url.scheme.is_empty() || !rest.starts_with(b"///"))
            && let Some(after) = rest.strip_prefix(b"//")
        {
            let end = after
                .iter()
                .position(|byte| *byte == b'/')
                .unwrap_or(after.len());
            let (authority, path) = after.split_at(end);
            (url.user, url.host) = parse_authority(&url.scheme, authority)?;
            rest = path;
        }
        url.path = unescape(rest, Part::Path)?;
        Ok(url)
    }

    /// The host without port and brackets.
    fn hostname(&self) -> Vec<u8> {
        let mut host = self.host.as_slice();
        if let Some(colon) = host.iter().rposition(|byte| *byte == b':')
            && is_optional_port(&host[colon..])
        {
            host = &host[..colon];
        }
        if let [b'[', inside @ .., b']'] = host {
            host = inside;
        }
        host.to_vec()
    }

    fn text(&self) -> Vec<u8> {
        let mut text = Vec::new();
        if !self.scheme.is_empty() {
            text.extend_from_slice(&self.scheme);
            text.push(b':');
        }
        if self.opaque.is_empty() {
            let has_authority = !self.host.is_empty() || self.user.is_some();
            if has_authority || !self.scheme.is_empty() && !self.path.is_empty() {
                text.extend_from_slice(b"//");
            }
            if let Some(user) = &self.user {
                text.extend(user.text());
                text.push(b'@');
            }
            text.extend(escape(&self.host, Part::Host));
            let path = if self.path == b"*" {
                b"*".to_vec()
            } else {
                escape(&self.path, Part::Path)
            };
            if !path.is_empty() && path[0] != b'/' && !self.host.is_empty() {
                text.push(b'/');
            }
            if text.is_empty() && cut(&path, b'/').0.contains(&b':') {
                text.extend_from_slice(b"./");
            }
            text.extend(path);
        } else {
            text.extend_from_slice(&self.opaque);
        }
        if !self.query.is_empty() {
            text.push(b'?');
            text.extend_from_slice(&self.query);
        }
        if !self.fragment.is_empty() {
            text.push(b'#');
            text.extend(escape(&self.fragment, Part::Fragment));
        }
        text
    }
}

fn cut(text: &[u8], separator: u8) -> (&[u8], &[u8]) {
    match text.iter().position(|byte| *byte == separator) {
        Some(position) => (&text[..position], &text[position + 1..]),
        None => (text, b""),
    }
}

fn split_scheme(text: &[u8]) -> Result<(&[u8], &[u8]), String> {
    for (index, byte) in text.iter().enumerate() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' => {}
            b'0'..=b'9' | b'+' | b'-' | b'.' if index > 0 => {}
            b':' if index == 0 => return Err("missing protocol scheme".into()),
            b':' => return Ok((&text[..index], &text[index + 1..])),
            _ => break,
        }
    }
    Ok((b"", text))
}

fn parse_authority(scheme: &[u8], authority: &[u8]) -> Result<(Option<User>, Vec<u8>), String> {
    let Some(at) = authority.iter().rposition(|byte| *byte == b'@') else {
        return Ok((None, parse_host(scheme, authority)?));
    };
    let host = parse_host(scheme, &authority[at + 1..])?;
    let user = &authority[..at];
    let is_valid = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(byte);
    if !user.iter().all(is_valid) {
        return Err("net/url: invalid userinfo".into());
    }
    let user = if user.contains(&b':') {
        let (name, password) = cut(user, b':');
        User {
            name: unescape(name, Part::User)?,
            password: Some(unescape(password, Part::User)?),
        }
    } else {
        User {
            name: unescape(user, Part::User)?,
            password: None,
        }
    };
    Ok((Some(user), host))
}

fn parse_host(scheme: &[u8], host: &[u8]) -> Result<Vec<u8>, String> {
    let invalid_port = |port: &[u8]| format!("invalid port {} after host", quote::quoted(port));
    match host.iter().rposition(|byte| *byte == b'[') {
        Some(0) => {}
        Some(_) => return Err("invalid IP-literal".into()),
        None => {
            if let Some(first) = host.iter().position(|byte| *byte == b':') {
                let colon = if scheme == b"http" || scheme == b"https" {
                    first
                } else {
                    host.iter().rposition(|byte| *byte == b':').unwrap_or(first)
                };
                if !is_optional_port(&host[colon..]) {
                    return Err(invalid_port(&host[colon..]));
                }
            }
            return unescape(host, Part::Host);
        }
    }
    let close = host
        .iter()
        .rposition(|byte| *byte == b']')
        .ok_or("missing ']' in host")?;
    let port = &host[close + 1..];
    if !is_optional_port(port) {
        return Err(invalid_port(port));
    }
    let port = unescape(port, Part::Host)?;
    let literal = &host[1..close];
    let address = match strings::find(literal, b"%25") {
        Some(zone) => [
            unescape(&literal[..zone], Part::Host)?,
            unescape(&literal[zone..], Part::Zone)?,
        ]
        .concat(),
        None => unescape(literal, Part::Host)?,
    };
    check_address(&address)?;
    Ok([b"[", &*address, b"]", &*port].concat())
}

/// What `netip.ParseAddr` and the check for IPv6 after it say about an address in brackets.
fn check_address(address: &[u8]) -> Result<(), String> {
    let wrap = |failure: AddressFailure<'_>| {
        let mut text = format!(
            "invalid host: ParseAddr({}): {}",
            quote::quoted(address),
            failure.reason
        );
        if !failure.at.is_empty() {
            text.push_str(&format!(" (at {})", quote::quoted(failure.at)));
        }
        text
    };
    let first = address
        .iter()
        .find(|byte| matches!(byte, b'.' | b':' | b'%'));
    match first {
        Some(b'.') => {
            check_ipv4(address).map_err(wrap)?;
            Err("invalid IP-literal".into())
        }
        Some(b':') => check_ipv6(address).map_err(wrap),
        Some(_) => Err(wrap(AddressFailure::new("missing IPv6 address", b""))),
        None => Err(wrap(AddressFailure::new("unable to parse IP", b""))),
    }
}

struct AddressFailure<'a> {
    reason: &'static str,
    /// From where on the address is wrong.
    at: &'a [u8],
}

impl<'a> AddressFailure<'a> {
    const fn new(reason: &'static str, at: &'a [u8]) -> Self {
        Self { reason, at }
    }
}

fn check_ipv4(text: &[u8]) -> Result<(), AddressFailure<'_>> {
    let fail = |reason, at| Err(AddressFailure::new(reason, at));
    let mut fields = 0;
    let mut digits = 0;
    let mut value = 0;
    for (index, byte) in text.iter().enumerate() {
        if byte.is_ascii_digit() {
            if digits == 1 && value == 0 {
                return fail("IPv4 field has octet with leading zero", b"");
            }
            value = value * 10 + u32::from(byte - b'0');
            digits += 1;
            if value > 255 {
                return fail("IPv4 field has value >255", b"");
            }
        } else if *byte == b'.' {
            if index == 0 || index + 1 == text.len() || text[index - 1] == b'.' {
                return fail("IPv4 field must have at least one digit", &text[index..]);
            }
            if fields == 3 {
                return fail("IPv4 address too long", b"");
            }
            fields += 1;
            value = 0;
            digits = 0;
        } else {
            return fail("unexpected character", &text[index..]);
        }
    }
    if fields < 3 {
        return fail("IPv4 address too short", b"");
    }
    Ok(())
}

fn check_ipv6(text: &[u8]) -> Result<(), AddressFailure<'_>> {
    let fail = |reason, at| Err(AddressFailure::new(reason, at));
    let (mut rest, zone) = cut(text, b'%');
    if rest.len() < text.len() && zone.is_empty() {
        return fail("zone must be a non-empty string", b"");
    }
    let mut ellipsis = false;
    if let Some(after) = rest.strip_prefix(b"::") {
        ellipsis = true;
        rest = after;
        if rest.is_empty() {
            return Ok(());
        }
    }
    // Bytes of the address that are known, of 16.
    let mut known = 0;
    while known < 16 {
        let digits = rest
            .iter()
            .take_while(|byte| byte.is_ascii_hexdigit())
            .count();
        if digits > 4 {
            return fail("each group must have 4 or less digits", rest);
        }
        if digits == 0 {
            return fail(
                "each colon-separated field must have at least one digit",
                rest,
            );
        }
        if rest.get(digits) == Some(&b'.') {
            if !ellipsis && known != 12 {
                return fail(
                    "embedded IPv4 address must replace the final 2 fields of the address",
                    rest,
                );
            }
            if known + 4 > 16 {
                return fail(
                    "too many hex fields to fit an embedded IPv4 at the end of the address",
                    rest,
                );
            }
            check_ipv4(rest)?;
            rest = b"";
            known += 4;
            break;
        }
        known += 2;
        rest = &rest[digits..];
        match rest {
            [] => break,
            [b':'] => return fail("colon must be followed by more characters", rest),
            [b':', after @ ..] => rest = after,
            _ => return fail("unexpected character, want colon", rest),
        }
        if let Some(after) = rest.strip_prefix(b":") {
            if ellipsis {
                return fail("multiple :: in address", rest);
            }
            ellipsis = true;
            rest = after;
            if rest.is_empty() {
                break;
            }
        }
    }
    if !rest.is_empty() {
        return fail("trailing garbage after address", rest);
    }
    if known < 16 && !ellipsis {
        return fail("address string too short", b"");
    }
    if known >= 16 && ellipsis {
        return fail("the :: must expand to at least one field of zeros", b"");
    }
    Ok(())
}

fn is_optional_port(text: &[u8]) -> bool {
    match text {
        [] => true,
        [b':', digits @ ..] => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

fn escape(text: &[u8], part: Part) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(text.len());
    for byte in text {
        if part.must_escape(*byte) {
            escaped.extend(format!("%{byte:02X}").into_bytes());
        } else {
            escaped.push(*byte);
        }
    }
    escaped
}

fn unescape(text: &[u8], part: Part) -> Result<Vec<u8>, String> {
    let hex = |byte: Option<&u8>| {
        byte.and_then(|byte| char::from(*byte).to_digit(16))
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let invalid_escape =
        |escape: &[u8]| Err(format!("invalid URL escape {}", quote::quoted(escape)));
    let mut unescaped = Vec::with_capacity(text.len());
    let mut rest = text;
    // An error of Go is that of the first pass, which checks everything.
    while let Some((byte, after)) = rest.split_first() {
        if *byte != b'%' {
            if matches!(part, Part::Host | Part::Zone) && byte.is_ascii() && part.must_escape(*byte)
            {
                return Err(format!(
                    "invalid character {} in host name",
                    quote::quoted(&[*byte])
                ));
            }
            unescaped.push(*byte);
            rest = after;
            continue;
        }
        let (Some(high), Some(low)) = (hex(rest.get(1)), hex(rest.get(2))) else {
            return invalid_escape(&rest[..rest.len().min(3)]);
        };
        let (escape, after) = rest.split_at(3);
        let value = high << 4 | low;
        let is_wrong = match part {
            Part::Host => high < 8 && escape != b"%25",
            Part::Zone => escape != b"%25" && value != b' ' && Part::Host.must_escape(value),
            _ => false,
        };
        if is_wrong {
            return invalid_escape(escape);
        }
        unescaped.push(value);
        rest = after;
    }
    Ok(unescaped)
}
