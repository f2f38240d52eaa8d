use anstream::adapter::strip_str;

use super::*;

#[test]
fn a_pass_reads_as_a_story() {
    let verdict = crate::health::Verdict {
        check: "unit app.service".into(),
        required: true,
        answer: Answer::Failed {
            reason: "exit-code".into(),
        },
    };
    let events = [
        PassEvent::Fetching {
            remote: "ssh://git@git.example.org/fleet.git".into(),
        },
        PassEvent::Building,
        PassEvent::Opening { secrets: 2 },
        PassEvent::Observing,
        PassEvent::Activation(ActivationEvent::Planned {
            way: Way::Forward,
            steps: vec!["write /etc/motd".into()],
            notices: Vec::new(),
        }),
        PassEvent::Activation(ActivationEvent::Phase {
            phase: Phase::Prepared,
        }),
        PassEvent::Activation(ActivationEvent::StepBegun {
            way: Way::Forward,
            index: 0,
            total: 1,
            text: "write /etc/motd".into(),
        }),
        PassEvent::Activation(ActivationEvent::Watching {
            units: 1,
            window_ms: 20_000,
        }),
        PassEvent::Activation(ActivationEvent::Probed { verdict }),
        PassEvent::Activation(ActivationEvent::Phase {
            phase: Phase::RollingBack {
                reason: "unit app.service failed".into(),
            },
        }),
    ];
    let story: String = events
        .iter()
        .map(|event| match told(event) {
            Told::Doing(text) => format!("… {}\n", strip_str(&text)),
            Told::Fact(text) => format!("{}\n", strip_str(&text)),
            Told::Nothing => String::new(),
        })
        .collect();
    insta::assert_snapshot!(story);
}
