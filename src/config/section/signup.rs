//! `[signup]` and `[consent]`: how often the form may be used, and what is kept of who used it.

use std::str::FromStr as _;
use std::time::Duration;

use crate::config::error::ConfigError;
use crate::config::raw::Raw;
use crate::config::span::parse_span;
use crate::domain::rate::Rate;
use crate::domain::signup::{IpProof, STAMP_VALID, SignupLimits};

/// How people join, and what is kept of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SignupSettings {
    pub limits: SignupLimits,
    /// A form that comes back sooner is asked for again.
    pub minimum_fill: Duration,
    pub proof_of_work: bool,
    /// What a consent keeps of the IP address.
    pub ip: IpProof,
}

pub(in crate::config) fn signup(raw: &Raw) -> Result<SignupSettings, ConfigError> {
    Ok(SignupSettings {
        limits: SignupLimits {
            per_network: raw.take("signup.per_network", Rate::from_str)?,
            total: raw.take("signup.total", Rate::from_str)?,
        },
        minimum_fill: raw.take("signup.minimum_fill", |text| match parse_span(text)? {
            span if span >= STAMP_VALID => {
                Err("nobody looks at a form for so long; use a few seconds, 2s is usual".to_owned())
            }
            span => Ok(span),
        })?,
        proof_of_work: raw.take("signup.proof_of_work", |text| {
            text.parse().map_err(|_| "it is neither true nor false; write one of them".to_owned())
        })?,
        ip: raw.take("consent.ip", |text| match text {
            "truncated" => Ok(IpProof::Truncated),
            "hashed" => Ok(IpProof::Hashed),
            "none" => Ok(IpProof::None),
            _ => Err("it is none of truncated, hashed and none; write one of them".to_owned()),
        })?,
    })
}
