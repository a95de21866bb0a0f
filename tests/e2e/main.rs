//! The program as its users have it: the real binary, real protocol peers, a simulated clock.

mod browser;
mod inspect;
mod kill;
mod old_plan;
mod world;
