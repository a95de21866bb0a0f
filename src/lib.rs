//! 催办 cuiban: reads a city's yearly task table, reminds its owners before each quarter ends, and
//! shows who has not reported.
//!
//! # The map
//!
//! A reminder's life is one straight line, and the rooms stand in that order:
//!
//! ```text
//!  table ─▶ plan ─▶ domain::due ─▶ outbox ─▶ channel ─▶ (a person) ─▶ reply ─▶ board
//!             │      (driver)        │                                 │        │
//!             └─────────┴────────────┴──── store: the journal ─────────┴────────┘
//! ```
//!
//! - [`plan`] reads a table file into tasks and milestones with findings, and says which facts
//!   follow; the contact sheet and the State Council's notice of days off are its other doors, each
//!   as a command and as a page (`page`, `contacts`, `holidays`). `export` writes the table again,
//!   with what was reported.
//! - [`driver`] makes a pass whenever it is woken: [`domain::due`] says who is to be told what, and
//!   the messages are queued in the same append. The bell only rings; it knows nothing.
//! - [`outbox`] takes a message, asks once more whether it is still wanted, writes the intent,
//!   sends, writes the outcome.
//! - [`channel`] renders and sends by one way out; it alone knows what that peer's answers mean.
//! - [`reply`] takes what an owner says by form, mail or WeCom, makes it durable, then thanks.
//! - [`watch`] looks after every pass whether the program itself is well, and tells the operator.
//! - [`board`] computes views from the book at a moment, for pages, programs and the terminal:
//!   the first screen and its lists, `charts` as SVG and pictures, `papers` as 公文, `live` for pages
//!   that stay open, `tokens` and `users` for who may see what. [`feed`] does so for calendars.
//!
//! Under them: [`domain`] decides everything and touches nothing; [`store`] keeps the journal of
//! facts in two copies, with the [`store::Ledger`] as the one door; [`config`] is what the office
//! set; [`desk`] and [`rules`] are what every room stands on, and [`in_force`] is how they, the routes
//! and the ways out are replaced as a whole when the config is read anew; [`web`] is the kit for
//! pages.
//! Over them: [`app`] wires, [`cli`] is one file a command, [`life`] starts and stops, [`clock`]
//! and [`telemetry`] are the edges.
//! set; [`desk`] and [`rules`] are what every room stands on; [`web`] is the kit for pages: who asks,
//! what is shown when something is wrong, headers, limits, health.
//! Over them: [`app`] wires, looks after backups and `doctor`, and joins what two rooms know (the
//! table exported with its reports); [`cli`] is one file a command, [`life`] starts and stops,
//! [`clock`] and [`telemetry`] are the edges.
//!
//! There is one way in for whatever is asked: a request, from a browser, another system or a command,
//! meets the same routers. A command speaks to the running daemon over its Unix socket, to a process
//! of the store's owner where root meets a stopped service, or to the same routers in its own
//! process. What each caller may do on each route is one table (`app::rights`), and a route that is
//! not in it fails the test.
//!
//! Who may know whom: `domain` ← `config` ← `store`, `channel`, `web` ← `plan`, `outbox`, `reply`,
//! `board`, `feed` ← `app` ← `cli` ← `main`. `tests/tidy.rs` holds these walls up.
//!
//! # What always holds
//!
//! - The journal is the truth. A fact is appended once, hash-chained, and never changed; every view
//!   is the fold of facts up to a position ([`domain::book::Book`]), so any past moment can be asked.
//! - Nothing is acknowledged that is not on disk, and no decision is made on an old book: whoever
//!   decides does so on the writer's thread ([`store::Ledger::commit`]).
//! - Every step can be run again. A pass takes no input and knows no "last time"; a message has a
//!   name ([`domain::message::MessageKey`]), and queueing it twice does nothing.
//! - At least once, under one name: an intent is durable before anything leaves; an intent without
//!   an outcome is in doubt and visible, and is repeated under the same Message-ID.
//! - A report stops the reminding by itself: the last check stands right before the send.
//! - No secret, telephone number or full address is in a log or an error's text.
//! - A store belongs to one user; nobody else's process makes a file in it, root's included.
//!
//! # What is not here, on purpose
//!
//! - `domain` has no I/O, no `async`, no clock, no serde, no logging and no randomness.
//! - The rooms of the middle row never name each other; they meet in the store.
//! - No wall clock is read outside [`clock`]; time comes in as an argument.
//! - No table of state beside the facts: status, lateness and counts are computed, not kept.
//! - No other place than [`app`] names a concrete channel or the store on disk.
//! - No TLS but rustls with ring, no C library, no `unsafe`.
#![forbid(unsafe_code)]

pub mod app;
pub mod board;
pub mod channel;
pub mod cli;
pub mod clock;
pub mod config;
pub mod desk;
pub mod domain;
pub mod driver;
pub mod feed;
pub mod in_force;
pub mod life;
pub mod outbox;
pub mod plan;
pub mod reply;
pub mod rules;
pub mod store;
pub mod telemetry;
pub mod watch;
pub mod web;
