//! What the targets share.

use std::io::{Cursor, Write};

use cuiban::plan::{self, Source};
use zip::write::SimpleFileOptions;

/// Reads bytes as a table file and holds what came of them to what always holds.
pub fn read(bytes: &[u8], file_name: &str) {
    let source = Source {
        file_name: file_name.to_owned(),
        year: Some(2022),
        ..Source::default()
    };
    let Ok(reading) = plan::read(bytes, &source) else {
        return;
    };
    for task in &reading.plan.tasks {
        assert!(!task.groups.is_empty() && task.groups.len() <= 255);
        assert!(!task.milestones.is_empty());
        for milestone in &task.milestones {
            assert!(milestone.first_quarter <= milestone.last_quarter);
        }
    }
}

/// A package of these parts, stored as they are so that the fuzzer sees its bytes arrive.
#[allow(dead_code)]
pub fn package(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        writer
            .start_file(*name, SimpleFileOptions::default())
            .expect("memory takes it");
        writer.write_all(bytes).expect("memory takes it");
    }
    writer.finish().expect("memory takes it").into_inner()
}
