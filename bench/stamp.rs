//! Puts the time in front of every line of its input: seconds since 1970 with microseconds, when the line came.

use std::io::{Read, Write};
use std::time::{SystemTime, UNIX_EPOCH};

fn main() -> std::io::Result<()> {
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    let mut buffer = [0; 64 * 1024];
    let mut stamped = Vec::new();
    let mut begins = true;
    loop {
        let count = input.read(&mut buffer)?;
        if count == 0 {
            return output.write_all(&stamped);
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        for line in buffer[..count].split_inclusive(|byte| *byte == b'\n') {
            if begins {
                write!(stamped, "{}.{:06} ", now.as_secs(), now.subsec_micros())?;
            }
            stamped.extend_from_slice(line);
            begins = line.ends_with(b"\n");
        }
    }
}
