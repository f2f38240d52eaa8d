//! Amounts of data, in the one unit that a person would use.

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;
const TIB: u64 = 1 << 40;

/// How much it is: `512 bytes`, `70 KiB`, `3 MiB`, `4.1 GiB`, `1.5 TiB`.
pub(in crate::cli) fn size(bytes: u64) -> String {
    let tenths = |unit: u64, name: &str| {
        let (whole, tenth) = (bytes / unit, bytes % unit / (unit / 10));
        format!("{whole}.{} {name}", tenth.min(9))
    };
    match bytes {
        0..KIB => format!("{bytes} bytes"),
        KIB..MIB => format!("{} KiB", bytes / KIB),
        MIB..GIB => format!("{} MiB", bytes / MIB),
        GIB..TIB => tenths(GIB, "GiB"),
        _ => tenths(TIB, "TiB"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_told_in_their_largest_unit() {
        for (bytes, text) in [
            (0, "0 bytes"),
            (1_023, "1023 bytes"),
            (70_000, "68 KiB"),
            (5_000_000, "4 MiB"),
            (GIB, "1.0 GiB"),
            (2 * GIB - 1, "1.9 GiB"),
            (3 * TIB / 2, "1.5 TiB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }
}
