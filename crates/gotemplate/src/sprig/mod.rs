//! The functions of Sprig 3, as Helm has them.
//!
//! All of Sprig's functions but `env` and `expandenv`, which Helm removes, with the results and
//! errors of Sprig 3.3.0: its casts, Go's layouts of dates, the constraints of
//! Masterminds/semver, Go's regular expressions, mergo's merge.
//!
//! ```
//! use gotemplate::{Limits, Sealed, Templates, Value, sprig};
//!
//! let mut templates = Templates::new("motd", sprig::functions());
//! templates.parse("motd", r#"{{ .name | title | repeat 2 }} {{ add 1 "0x1f" }}"#)?;
//! let data = Value::map([("name".into(), "ann".into())]);
//! let output = templates.execute(b"motd", &data, &mut Sealed, Limits::default())?;
//! assert_eq!(output.text, b"AnnAnn 32");
//! # Ok::<(), gotemplate::Error>(())
//! ```
//!
//! Functions that ask for random bytes or the time take them from the
//! [`Environment`](crate::Environment), and [`Output::used`](crate::Output) says that they did. The
//! local time zone is UTC. `getHostByName` gives an empty string, as in Helm without DNS.
//!
//! Where Go leaves the order of keys to chance, as in `keys` and `values`, they are sorted. What
//! differs from Sprig:
//!
//! - Lists do not change here: `sortAlpha` does not sort the list that it was given as well, and
//!   `slice` cannot reach elements beyond the end of a list that Go happens to have room for.
//! - `now` prints without the reading of the monotonic clock that Go appends.
//! - Time zones are those of the time zone database in the binary, not of the machine.
//! - A regular expression is too large when it takes more than 32 MiB, where Go's bound is higher.
//! - Keys of the curve P-224 and of X25519 cannot be read, and what is wrong with a malformed key is
//!   said in fewer words.

mod cases;
mod cast;
mod crypto;
mod dates;
mod decimal;
mod defaults;
mod dicts;
mod encoding;
mod go;
mod lists;
mod merge;
mod numeric;
mod paths;
mod print;
mod random;
mod reflection;
mod regex;
mod semver;
mod strings;
mod time;
mod unicode;
mod url;

use crate::function::Functions;
use crate::types::Type;

/// All functions.
#[must_use]
pub fn functions() -> Functions {
    let mut functions = Functions::new();
    for register in [
        strings::register,
        numeric::register,
        lists::register,
        dicts::register,
        defaults::register,
        dates::register,
        encoding::register,
        reflection::register,
        paths::register,
        url::register,
        semver::register,
        regex::register,
        random::register,
        crypto::register,
    ] {
        register(&mut functions);
    }
    functions.add("getHostByName", [Type::String], Type::String, |_, _| {
        Ok("".into())
    });
    functions
}

/// Bytes as hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(text, "{byte:02x}");
    }
    text
}
