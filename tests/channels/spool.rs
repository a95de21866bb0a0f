//! Messages as files.

use cuiban::channel::Channel;
use cuiban::channel::spool::{SpoolChannel, read_all};
use cuiban::domain::delivery::{FailReason, SendOutcome};

use crate::email::brief;

#[tokio::test]
async fn a_message_is_a_file_and_a_repetition_replaces_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spool");
    assert_eq!(read_all(&path).unwrap(), []);
    let channel = SpoolChannel::new(path.clone());
    for nth in 1..=2 {
        let sent = channel.send(&brief(), nth).await;
        assert!(matches!(sent.outcome, SendOutcome::Sent { .. }), "{sent:?}");
    }
    let messages = read_all(&path).unwrap();
    assert_eq!(messages.len(), 1);
    let message = &messages[0];
    assert_eq!(message.to, "钟靖平（市科技局）");
    assert_eq!(message.stage, "reminder");
    assert_eq!(message.stage_name, "提醒");
    assert_eq!(message.at, "2022-03-28T09:10:00+08:00");
    assert_eq!(
        message.link.as_deref(),
        Some("https://duban.example.gov.cn/r/7f3kQm2ZpX")
    );
    assert!(message.html.contains(message.link.as_deref().unwrap()));
    let files = std::fs::read_dir(path.join("2022Q1")).unwrap();
    assert_eq!(files.count(), 1, "nothing half written is left");
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let told = SpoolChannel::new(file).send(&brief(), 1).await;
    let SendOutcome::Failed(failure) = &told.outcome else {
        panic!("{told:?}")
    };
    assert_eq!(failure.reason, FailReason::Unreachable);
    assert!(told.rest.is_some());
}
