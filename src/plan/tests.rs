use super::*;

fn table() -> Reading {
    let bytes = std::fs::read("seeds/dongguan-2022.txt").unwrap();
    read(
        &bytes,
        &Source {
            file_name: "dongguan-2022.txt".into(),
            ..Source::default()
        },
    )
    .unwrap()
}

#[test]
fn dump() {
    let r = table();
    std::fs::write(
        "/tmp/inspect.json",
        serde_json::to_string(&wire::Inspection::from(&r)).unwrap(),
    )
    .unwrap();
    println!("{}", show::Inspected(&r));
    println!("{:?}", r.plan.heading);
    for p in &r.plan.people {
        println!("{} {} {:?}", p.name, p.unit, p.roles);
    }
}
