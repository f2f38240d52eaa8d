//! Whether every way out that was there is there still.

use crate::host::{DefaultRoutes, Host, Route};

/// Why the routes that are there now are worse than `before`; nothing if they are not.
pub(in crate::health) fn ask(host: &Host, before: DefaultRoutes) -> Result<(), String> {
    match host.default_routes() {
        Ok(Some(now)) => lost(before, now),
        Ok(None) => Ok(()),
        Err(error) => Err(error.to_string()),
    }
}

fn lost(before: DefaultRoutes, now: DefaultRoutes) -> Result<(), String> {
    let gone = |before, now| before == Route::There && now == Route::Missing;
    match (gone(before.ipv4, now.ipv4), gone(before.ipv6, now.ipv6)) {
        (false, false) => Ok(()),
        (true, false) => Err("there is no default route for IPv4 any more".to_owned()),
        (false, true) => Err("there is no default route for IPv6 any more".to_owned()),
        (true, true) => Err("there is no default route any more".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_family_that_had_a_default_route_can_lose_it() {
        let routes = |ipv4, ipv6| DefaultRoutes { ipv4, ipv6 };
        let (there, none) = (Route::There, Route::Missing);
        assert!(lost(routes(none, none), routes(none, none)).is_ok());
        assert!(lost(routes(there, none), routes(there, there)).is_ok());
        let error = lost(routes(there, there), routes(there, none)).unwrap_err();
        assert!(error.contains("IPv6"), "{error}");
        assert!(lost(routes(there, none), routes(none, there)).is_err());
    }
}
