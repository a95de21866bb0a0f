//! One cell of a schedule, in a table that is sound.
#![no_main]

#[path = "mod.rs"]
mod shared;

libfuzzer_sys::fuzz_target!(|schedule: &str| {
    let schedule: String = schedule
        .chars()
        .map(|c| if c.is_control() { '；' } else { c })
        .collect();
    let table = format!(
        "2022年市政府主要目标任务分解表\n\
         总体要求\t年度目标及工作内容\t季度进度安排\t责任领导\t牵头单位\t责任人\t直接责任人\t协助单位\n\
         (一)稳增长\t1.培育企业。\t{schedule}\t王甲\t市科技局\t李乙\t张丙\t市财政局\n"
    );
    shared::read(table.as_bytes(), "表.txt");
});
