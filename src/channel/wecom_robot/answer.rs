//! What the platform's answers mean (wecom.md, section 6). HTTP 200 is not success: the verdict is
//! `errcode`, and only `errcode`; `errmsg` is for people.

use chrono::TimeDelta;
use serde::Deserialize;

use crate::channel::Attempted;
use crate::channel::wecom_http::{why, without_hint};
use crate::domain::delivery::{FailReason, Next};

#[derive(Deserialize)]
struct Answer {
    errcode: i64,
    #[serde(default)]
    errmsg: String,
}

/// How long a robot rests that is gone from its group: until somebody mends it, and a look twice a
/// day whether somebody has.
const ROBOT_GONE: TimeDelta = TimeDelta::hours(12);
/// The platform blocks for the unit of the limit, a minute.
const OVER_RATE: TimeDelta = TimeDelta::seconds(65);
/// Tries while the platform says it is busy.
const BUSY_TRIES: u32 = 3;

/// Judges an answer to the `nth` try.
pub(super) fn judge(status: u16, body: &[u8], nth: u32) -> Attempted {
    match status {
        200..=299 => match serde_json::from_slice::<Answer>(body) {
            Ok(answer) => by_errcode(&answer, nth),
            Err(_) => Attempted::in_doubt("企业微信的应答不是规定的格式，不能确定是否已送达"),
        },
        429 => Attempted::failed(
            FailReason::RateLimited,
            Next::Again {
                after: Some(OVER_RATE),
            },
            "企业微信：HTTP 429",
        )
        .resting(OVER_RATE),
        300..=499 => stop(&format!(
            "企业微信接口地址应答 HTTP {status}，请检查 wecom.base_url"
        )),
        _ => Attempted::in_doubt(&format!("企业微信应答 HTTP {status}，不能确定是否已送达")),
    }
}

/// Judges a call without an answer: only what never left is surely not delivered.
pub(super) fn broken(error: reqwest::Error) -> Attempted {
    let again = Next::Again { after: None };
    if error.is_connect() {
        let detail = format!("连接不上企业微信：{}", why(&error));
        return Attempted::failed(FailReason::Unreachable, again, &detail)
            .resting(TimeDelta::seconds(30));
    }
    if error.is_builder() {
        let detail = "企业微信接口地址有误，请检查 wecom.base_url";
        return stop(detail);
    }
    Attempted::in_doubt(&format!("请求已发出，未收到企业微信应答：{}", why(&error)))
}

fn by_errcode(answer: &Answer, nth: u32) -> Attempted {
    let said = format!("{} {}", answer.errcode, without_hint(&answer.errmsg));
    let next = Next::NextChannel;
    match answer.errcode {
        0 => {
            if answer.errmsg.contains("wrong json format") {
                tracing::warn!(
                    channel = "wecom_robot",
                    "the platform took a message but not all of its JSON: a defect of ours"
                );
            }
            Attempted::sent(&said)
        }
        -1 | 6000 if nth <= BUSY_TRIES => {
            let after = Some(TimeDelta::minutes(i64::from(nth)));
            Attempted::failed(FailReason::TryLater, Next::Again { after }, &said)
        }
        -1 | 6000 => Attempted::failed(FailReason::TryLater, next, &said),
        45009 => {
            let after = Some(OVER_RATE);
            Attempted::failed(FailReason::RateLimited, Next::Again { after }, &said)
                .resting(OVER_RATE)
        }
        45033 => Attempted::failed(FailReason::RateLimited, Next::Again { after: None }, &said),
        93000 | 93004 | 93008 | 40001 | 40013 | 40014 | 40091 | 48002 | 60020 => stop(&said),
        85002 => Attempted::failed(FailReason::Rejected, next, &said),
        40003 | 43004 | 46004 | 60111 | 81013 => {
            Attempted::failed(FailReason::BadAddress, next, &said)
        }
        40006..=40009
        | 40031
        | 40033
        | 40035
        | 40039
        | 40058
        | 40063
        | 41000..=41999
        | 42045
        | 44001
        | 44004
        | 45001
        | 45002
        | 45007
        | 45008
        | 82001 => Attempted::failed(FailReason::OurDefect, next, &said),
        // Unknown to us: give up loudly, with the code shown.
        _ => Attempted::failed(FailReason::Rejected, next, &said),
    }
}

fn stop(detail: &str) -> Attempted {
    let pause = ROBOT_GONE;
    Attempted::failed(FailReason::Credentials, Next::StopChannel { pause }, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::delivery::SendOutcome;

    fn judged(errcode: i64, nth: u32) -> String {
        let body = format!(
            r#"{{"errcode":{errcode},"errmsg":"said, hint: [1700000000123456789012345], from ip: 203.0.113.9, more info at https://open.work.weixin.qq.com/devtool/query?e={errcode}"}}"#
        );
        show(&judge(200, body.as_bytes(), nth))
    }

    fn show(attempted: &Attempted) -> String {
        let rest = attempted.rest.map_or(String::new(), |rest| {
            format!(" rest {}s", rest.num_seconds())
        });
        match &attempted.outcome {
            SendOutcome::Sent { answer } => format!("sent {answer}"),
            SendOutcome::InDoubt { .. } => "in doubt".into(),
            SendOutcome::Failed(failure) => {
                let next = match failure.next {
                    Next::Again { after: None } => "again".into(),
                    Next::Again { after: Some(after) } => format!("again {}s", after.num_seconds()),
                    Next::NextChannel => "next".into(),
                    Next::StopChannel { .. } => "stop".to_owned(),
                };
                format!(
                    "{} {next}{rest} | {}",
                    failure.reason.as_str(),
                    failure.detail
                )
            }
        }
    }

    #[test]
    fn each_errcode_means_what_the_table_says() {
        let rows = [
            (0, 1, "sent 0 said"),
            (-1, 1, "try_later again 60s | -1 said"),
            (-1, 3, "try_later again 180s | -1 said"),
            (-1, 4, "try_later next | -1 said"),
            (40008, 1, "our_defect next | 40008 said"),
            (40058, 1, "our_defect next | 40058 said"),
            (44004, 1, "our_defect next | 44004 said"),
            (45002, 1, "our_defect next | 45002 said"),
            (45009, 1, "rate_limited again 65s rest 65s | 45009 said"),
            (85002, 1, "rejected next | 85002 said"),
            (93000, 1, "credentials stop rest 43200s | 93000 said"),
            (93004, 1, "credentials stop rest 43200s | 93004 said"),
            (93008, 1, "credentials stop rest 43200s | 93008 said"),
            (123_456, 1, "rejected next | 123456 said"),
        ];
        for (errcode, nth, wanted) in rows {
            assert_eq!(judged(errcode, nth), wanted, "{errcode}");
        }
    }

    #[test]
    fn what_is_no_answer_is_in_doubt() {
        assert_eq!(show(&judge(200, b"<html>login</html>", 1)), "in doubt");
        assert_eq!(show(&judge(502, b"", 1)), "in doubt");
        assert!(show(&judge(404, b"", 1)).starts_with("credentials stop"));
        assert!(show(&judge(429, b"", 1)).starts_with("rate_limited again 65s rest 65s"));
        let warned = br#"{"errcode":0,"errmsg":"ok. Warning: wrong json format. "}"#;
        assert!(show(&judge(200, warned, 1)).starts_with("sent"));
    }
}
