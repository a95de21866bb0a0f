//! What the demo starts with: the bundled table, and a contact invented for everyone in it.

use anyhow::Context as _;

use super::App;
use crate::domain::fact::{Actor, Fact};
use crate::domain::hex;
use crate::domain::ids::PlanId;
use crate::domain::people::{Contact, Person};
use crate::plan::{self, Source, export, import};

const TABLE: &[u8] = include_bytes!("../../seeds/dongguan-2022.txt");
const NAME: &str = "dongguan-2022.txt";

/// Imports the table as repaired and invents the contacts.
///
/// # Errors
/// When the store takes nothing.
pub async fn fill(app: &App) -> anyhow::Result<()> {
    let source = Source {
        file_name: NAME.into(),
        id: Some(PlanId::new("dongguan-2022")?),
        almanac: app.setup.config.time.almanac.clone(),
        ..Source::default()
    };
    let reading = plan::read(TABLE, &source).context("内置的分解表无法读取")?;
    let rules = app.core.rules.now();
    let origin = import::TableFile {
        name: NAME.into(),
        sha256: hex::sha256(TABLE),
        accepted: u32::try_from(plan::errors(&reading.findings).count()).unwrap_or(u32::MAX),
        units: reading.units.clone(),
    };
    let contacts: Vec<Fact> = reading
        .plan
        .people
        .iter()
        .zip(1..)
        .map(|(person, number)| Fact::ContactSet {
            contact: invented(person, number),
        })
        .collect();
    let mut facts = {
        let book = app.desk().ledger.book();
        import::facts(
            &book,
            &reading.plan,
            &origin,
            &rules.policy,
            &rules.calendar,
        )
    };
    facts.extend(contacts);
    let vault = app.desk().vault.clone();
    tokio::task::spawn_blocking(move || export::keep(&vault, TABLE)).await??;
    let now = app.desk().clock.now();
    app.desk().ledger.append(Actor::System, now, facts).await?;
    Ok(())
}

fn invented(person: &Person, number: u32) -> Contact {
    Contact {
        email: Some(format!("user{number:03}@example.invalid")),
        note: Some("演示用虚构地址".into()),
        ..Contact::none(person.id.clone())
    }
}
