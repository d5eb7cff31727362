//! Names of subjects, with the context that a registry keeps them in.
//!
//! Rules: Confluent's registry writes a subject of a context as `:.context:name` and counts schema ids for each context
//! anew; a name without a context is in the default one. An address may lead into a context: `https://host/contexts/.context`.

/// Context and name of a subject; the default context is the empty text.
pub fn split(subject: &str) -> (&str, &str) {
    let qualified = subject.strip_prefix(':').filter(|rest| rest.starts_with('.'));
    match qualified.and_then(|rest| rest.split_once(':')) {
        Some((".", name)) => ("", name),
        Some((context, name)) => (context, name),
        None => ("", subject),
    }
}

/// The name of `subject` within `context`; `None` when it is in another one.
pub fn within<'a>(context: &str, subject: &'a str) -> Option<&'a str> {
    let (of, name) = split(subject);
    (of == context).then_some(name)
}

/// The context that an address leads into; the default one when it names none.
pub fn context_of(url: &str) -> String {
    let named = url.trim_end_matches('/').rsplit_once("/contexts/").map_or("", |(_, context)| context);
    let name = named.trim_matches(':').trim_start_matches('.');
    if name.is_empty() || name.contains('/') { String::new() } else { format!(".{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subject_is_a_context_and_a_name() {
        for (subject, context, name) in [
            ("orders-value", "", "orders-value"),
            (":.eu:orders-value", ".eu", "orders-value"),
            (":.:orders-value", "", "orders-value"),
            (":.eu:", ".eu", ""),
            (":.eu:a:b", ".eu", "a:b"),
            // No context: a name may begin with a colon.
            (":orders", "", ":orders"),
            (":.eu", "", ":.eu"),
            ("", "", ""),
        ] {
            assert_eq!(split(subject), (context, name), "{subject}");
        }
        assert_eq!(within(".eu", ":.eu:a"), Some("a"));
        assert_eq!(within("", ":.eu:a"), None);
        assert_eq!(within(".eu", "a"), None);
    }

    #[test]
    fn an_address_may_lead_into_a_context() {
        for (url, context) in [
            ("http://r:8081", ""),
            ("http://r:8081/contexts/.eu", ".eu"),
            ("http://r:8081/contexts/:.eu:/", ".eu"),
            ("http://r:8081/contexts/eu", ".eu"),
            ("http://r:8081/contexts/.", ""),
            ("http://r:8081/contexts/.eu/more", ""),
        ] {
            assert_eq!(context_of(url), context, "{url}");
        }
    }
}
