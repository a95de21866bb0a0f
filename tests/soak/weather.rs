//! The peers and what goes wrong with them: one fault at a time, for a moment.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::dice::Dice;
use crate::dovecot::Dovecot;
use crate::peers::smtp::{Say, SmtpPeer, Step};
use crate::peers::wecom::{Answer, WecomPeer};
use crate::peers::wecom_app::AppPeer;
use crate::wire::{State, Wire};

/// Everybody outside, each behind a wire.
pub struct Peers {
    pub smtp: SmtpPeer,
    pub robot: WecomPeer,
    pub app: AppPeer,
    pub dovecot: Dovecot,
    pub mail_wire: Wire,
    pub robot_wire: Wire,
    pub imap_wire: Wire,
}

/// What may go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    MailGone,
    MailDeaf,
    MailSlow,
    MailCut,
    MailTryLater,
    MailTooMany,
    MailRefused,
    MailNoSuchBox,
    MailHangsUp,
    MailHangsUpAfterTheMail,
    MailAnswersLate,
    WecomGone,
    WecomTooOften,
    WecomBusy,
    WecomBroken,
    AppTokenEnded,
    AppTokenRefused,
    AppUnknownUser,
    NetworkGone,
    ImapGone,
}

impl Fault {
    const ALL: [Self; 20] = [
        Self::MailGone,
        Self::MailDeaf,
        Self::MailSlow,
        Self::MailCut,
        Self::MailTryLater,
        Self::MailTooMany,
        Self::MailRefused,
        Self::MailNoSuchBox,
        Self::MailHangsUp,
        Self::MailHangsUpAfterTheMail,
        Self::MailAnswersLate,
        Self::WecomGone,
        Self::WecomTooOften,
        Self::WecomBusy,
        Self::WecomBroken,
        Self::AppTokenEnded,
        Self::AppTokenRefused,
        Self::AppUnknownUser,
        Self::NetworkGone,
        Self::ImapGone,
    ];
}

/// Which faults there were, and how often.
pub type Suffered = BTreeMap<Fault, usize>;

impl Peers {
    pub async fn start() -> Self {
        let smtp = SmtpPeer::good().await;
        let robot = WecomPeer::start(Arc::new(|_, _| Answer::Usual), false).await;
        let app = AppPeer::start(false).await;
        let dovecot = Dovecot::start();
        dovecot.ready().await;
        let front = front(&robot, &app).await;
        Self {
            mail_wire: Wire::to(smtp.addr.port()).await,
            robot_wire: Wire::to(front).await,
            imap_wire: Wire::to(dovecot.port).await,
            smtp,
            robot,
            app,
            dovecot,
        }
    }

    /// Lets something go wrong for a moment, and mends it.
    pub async fn suffer(&self, dice: &Dice, suffered: &mut Suffered) {
        let fault = *dice.pick(&Fault::ALL).unwrap();
        *suffered.entry(fault).or_default() += 1;
        self.begin(fault, dice);
        let moment = dice.between(200, 2000);
        tokio::time::sleep(Duration::from_millis(moment as u64)).await;
        self.clear();
    }

    /// Everything works.
    pub fn clear(&self) {
        for wire in [&self.mail_wire, &self.robot_wire, &self.imap_wire] {
            wire.set(State::Whole);
        }
        self.smtp.set_script(|_, _, _| Say::Usual);
        self.robot.set_script(|_, _| Answer::Usual);
        self.app.set_script(|_, _| Answer::Usual);
    }

    fn begin(&self, fault: Fault, dice: &Dice) {
        let mail = |step: Step, every: usize, say: fn() -> Say| {
            self.smtp.set_script(move |at, nth, _| {
                let hit = at == step && nth.is_multiple_of(every);
                if hit { say() } else { Say::Usual }
            });
        };
        let wecom = |code: i64| {
            self.robot.set_script(move |_, _| Answer::Code(code));
            self.app.set_script(move |path, _| match path {
                "message/send" => Answer::Code(code),
                _ => Answer::Usual,
            });
        };
        match fault {
            Fault::MailGone => self.mail_wire.set(State::Gone),
            Fault::MailDeaf => self.mail_wire.set(State::Deaf),
            Fault::MailSlow => self.mail_wire.set(State::Slow),
            Fault::MailCut => self.mail_wire.set(State::Cut(dice.between(10, 20_000))),
            Fault::MailTryLater => mail(Step::Rcpt, 2, || Say::line("451 4.3.0 try again later")),
            Fault::MailTooMany => mail(Step::Mail, 3, || {
                Say::Last(b"421 4.7.0 too many messages".to_vec())
            }),
            Fault::MailRefused => mail(Step::Dot, 5, || Say::gbk("554", "内容被拒绝")),
            Fault::MailNoSuchBox => mail(Step::Rcpt, 9, || Say::line("550 5.1.1 no such user")),
            Fault::MailHangsUp => mail(Step::Data, 2, || Say::HangUp),
            Fault::MailHangsUpAfterTheMail => mail(Step::Dot, 3, || Say::HangUp),
            // Longer than the daemon waits for it.
            Fault::MailAnswersLate => mail(Step::Dot, 7, || Say::Late(Duration::from_secs(8))),
            Fault::WecomGone => self.robot_wire.set(State::Gone),
            Fault::WecomTooOften => wecom(45009),
            Fault::WecomBusy => wecom(45033),
            Fault::WecomBroken => {
                self.robot.set_script(|_, nth| match nth % 2 {
                    0 => Answer::Http(502),
                    _ => Answer::Code(-1),
                });
                self.app.set_script(|path, nth| match (path, nth % 2) {
                    ("message/send", 0) => Answer::Http(503),
                    ("message/send", _) => Answer::Code(-1),
                    _ => Answer::Usual,
                });
            }
            Fault::AppTokenEnded => self.app.end_token(),
            Fault::AppTokenRefused => self.app.set_script(|path, nth| match (path, nth % 3) {
                ("message/send", 0) => Answer::Code(40014),
                ("message/send", 1) => Answer::Code(42001),
                _ => Answer::Usual,
            }),
            Fault::AppUnknownUser => self.app.forget(&format!("wx{}", dice.roll(200))),
            Fault::NetworkGone => {
                for wire in [&self.mail_wire, &self.robot_wire, &self.imap_wire] {
                    wire.set(State::Gone);
                }
            }
            Fault::ImapGone => self.imap_wire.set(State::Gone),
        }
    }
}

/// One address for robots and the application, as the platform has it.
async fn front(robot: &WecomPeer, app: &AppPeer) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (robot, app) = (robot.base_url(), app.base_url());
    let client = crate::world::client();
    let pass = move |uri: axum::http::Uri, method: axum::http::Method, body: axum::body::Bytes| {
        let base = match uri.path() {
            "/cgi-bin/webhook/send" => robot.clone(),
            _ => app.clone(),
        };
        let request = client.request(method, format!("{base}{uri}")).body(body);
        async move {
            let failed = axum::http::StatusCode::BAD_GATEWAY;
            let answer = request.send().await.map_err(|_| failed)?;
            let status = answer.status();
            let bytes = answer.bytes().await.map_err(|_| failed)?;
            Ok::<_, axum::http::StatusCode>((status, bytes))
        }
    };
    let app = axum::Router::new().fallback(pass);
    tokio::spawn(async move {
        let _ = axum::serve(listener, app).await;
    });
    port
}
