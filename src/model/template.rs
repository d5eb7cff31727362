//! `${NAME}` in string literals of a project's files, and in plans.
//!
//! Plans, journal and evidence keep the placeholders; values are put in at the last moment, so that no secret is written.

use std::collections::BTreeMap;

/// Stands for the unique name of the job attempt; the planner puts it into group ids and transactional id prefixes.
pub const JOB: &str = "CYANOTYPE_JOB";

/// A placeholder without a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no value for ${{{name}}}: set it under [env.<name>.vars] in cyanotype.toml")]
pub struct MissingVariable {
    /// Its name.
    pub name: String,
}

/// The names between `${` and `}` in `text`, in order, each once.
pub fn variables(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("${") {
        let Some((name, tail)) = after.split_once('}') else { break };
        if is_name(name) && !found.contains(&name) {
            found.push(name);
        }
        rest = if is_name(name) { tail } else { after };
    }
    found
}

/// `text` with every placeholder replaced by what `value` gives for its name.
///
/// # Errors
/// The first placeholder that `value` does not know.
pub fn resolve_with<'v>(text: &str, value: impl Fn(&str) -> Option<&'v str>) -> Result<String, MissingVariable> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        match after.split_once('}') {
            Some((name, tail)) if is_name(name) => {
                out.push_str(value(name).ok_or_else(|| MissingVariable { name: name.to_owned() })?);
                rest = tail;
            }
            _ => {
                out.push_str("${");
                rest = after;
            }
        }
    }
    out.push_str(rest);
    Ok(out)
}

/// As [`resolve_with`], from a map.
///
/// # Errors
/// The first placeholder that `values` does not hold.
pub fn resolve(text: &str, values: &BTreeMap<String, String>) -> Result<String, MissingVariable> {
    resolve_with(text, |name| values.get(name).map(String::as_str))
}

/// True when what stands under this key of a configuration is usually a secret, which a placeholder keeps out of it.
pub fn holds_a_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase().replace(['_', '-'], ".");
    let elsewhere = ["file", "location", "path", "url", "uri", "name"];
    let word = key.rsplit('.').next().unwrap_or_default();
    !elsewhere.contains(&word)
        && (["password", "passwd", "passphrase", "secret", "jaas", "credential", "api.key", "private.key", "user.info"]
            .iter()
            .any(|part| key.contains(part))
            || word == "token")
}

fn is_name(text: &str) -> bool {
    text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_replaced_and_missing_ones_named() {
        let values = BTreeMap::from([("A".to_owned(), "x".to_owned())]);
        assert_eq!(resolve("'${A}.${A}' ${ {b}", &values).unwrap(), "'x.x' ${ {b}");
        assert_eq!(resolve("${B}", &values).unwrap_err().name, "B");
        assert_eq!(variables("${A} ${B} ${A} ${not a name}"), ["A", "B"]);
    }

    #[test]
    fn keys_of_secrets_are_known_by_their_words() {
        for key in
            ["password", "sasl.password", "DB_PASSWORD", "token", "api_token", "client.secret", "sasl.jaas.config"]
        {
            assert!(holds_a_secret(key), "{key}");
        }
        for key in ["user", "ssl.key.location", "PASSWORD_FILE", "token.endpoint.url", "tokens.max", "SECRET_NAME"] {
            assert!(!holds_a_secret(key), "{key}");
        }
    }
}
