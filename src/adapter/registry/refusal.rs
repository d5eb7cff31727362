//! The registry's own error codes: what is not there, and what to do about a refusal.

use crate::adapter::rest::Answer;
use crate::port::PortError;

/// The code in the body of an answer; 0 without one.
pub(super) fn code(answer: &Answer) -> i64 {
    answer.value().get("error_code").and_then(serde_json::Value::as_i64).unwrap_or_default()
}

/// True when the registry itself says that there is no such thing. It numbers its 404s 40401 and up; another 404 comes from
/// something else: the address is wrong. 40405 and 40407 say that there is one, which was not deleted softly before.
pub(super) fn is_missing(answer: &Answer) -> bool {
    let code = code(answer);
    answer.status == 404 && (40_400..40_500).contains(&code) && !matches!(code, 40_405 | 40_407)
}

/// `error` with the way out that its code has.
pub(super) fn with_way_out(error: PortError, answer: &Answer) -> PortError {
    match (error, way_out(answer.status, code(answer))) {
        (PortError::Refused { system, what, reason }, Some(way_out)) => {
            PortError::Refused { system, what, reason: format!("{reason}; {way_out}") }
        }
        (error, _) => error,
    }
}

fn way_out(status: u16, code: i64) -> Option<&'static str> {
    Some(match (status, code) {
        (401, _) => "give them under registry.auth",
        (403, _) => "ask for the right to it",
        (_, 40_405 | 40_407) => "somebody registered it anew meanwhile: delete it again",
        (_, 40_901) | (409, 409) => "`cyanotype compat` names the field that is not compatible",
        (_, 42_201) => "`cyanotype compat` says what is wrong with the schema",
        (_, 42_202) => "versions begin at 1",
        (_, 42_203) => "levels are NONE, BACKWARD, FORWARD and FULL, each also with _TRANSITIVE",
        (_, 42_204) => "modes are READWRITE, READONLY and IMPORT",
        (_, 42_205) => "set the mode of the subject, or of the registry, to READWRITE",
        (_, 42_206) => "schemas that refer to it must be deleted first",
        (_, 42_207) => "ids are given by the registry unless its mode is IMPORT",
        (_, 42_208) => "mend the name of the topic, which the subject is named after",
        (_, 42_209) => "raise the registry's limit for the size of schemas",
        (_, 42_210) => "mend the rules of the subject",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, code: i64) -> Answer {
        Answer { status, body: format!(r#"{{"error_code":{code},"message":"m"}}"#), ..Answer::default() }
    }

    #[test]
    fn what_is_not_there_is_told_from_what_is_still_there() {
        for code in [40_401, 40_402, 40_403, 40_404, 40_406, 40_408, 40_409] {
            assert!(is_missing(&answer(404, code)), "{code}");
        }
        for (status, code) in [(404, 40_405), (404, 40_407), (404, 404), (404, 0), (422, 40_401)] {
            assert!(!is_missing(&answer(status, code)), "{status} {code}");
        }
    }

    #[test]
    fn a_refusal_says_what_to_do() {
        let refused = |status, code| {
            let error = PortError::Refused { system: "registry", what: "w".into(), reason: "r".into() };
            with_way_out(error, &answer(status, code)).to_string()
        };
        let told = [
            (409, 409),
            (409, 40_901),
            (422, 42_201),
            (422, 42_202),
            (422, 42_203),
            (422, 42_204),
            (422, 42_205),
            (422, 42_206),
            (422, 42_207),
            (422, 42_208),
            (422, 42_209),
            (422, 42_210),
            (401, 40_101),
            (403, 403),
            (404, 40_405),
        ];
        let ways_out: std::collections::BTreeSet<String> = told.into_iter().map(|(s, c)| refused(s, c)).collect();
        assert!(ways_out.iter().all(|text| text.contains("r; ")), "{ways_out:?}");
        // The two codes of an incompatible schema mean the same.
        assert_eq!(ways_out.len(), told.len() - 1);
        assert_eq!(refused(400, 7), "registry refused w: r");
    }
}
