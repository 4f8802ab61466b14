//! Whole clusters on a virtual network: they form, notice deaths, heal and agree.

mod chaos;
mod forming;
mod hostile;
mod mending;
mod net;
mod slowness;
mod values;
