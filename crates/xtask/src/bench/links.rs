//! What a conference sees over bad roads, in a table.

use super::contender::{Contender, Scene, links_file, load_program};
use super::nets::{LOAD, Nets, Side, start};
use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use std::process::Stdio;

/// Rooms of the conference.
const SCENE: Scene = Scene {
    sites: 4,
    voices: 2,
    seconds: 0.0,
};

/// `--seconds S --seed N --only NAME --json --no-build`.
pub fn run(flags: &[String]) -> Result<()> {
    let (mut passed, mut json, mut build) = (vec![], false, true);
    let mut words = flags.iter();
    while let Some(flag) = words.next() {
        match flag.as_str() {
            "--json" => json = true,
            "--no-build" => build = false,
            "--seconds" | "--seed" | "--only" => {
                let value = words
                    .next()
                    .with_context(|| format!("{flag} needs a value"))?;
                passed.extend([flag.clone(), value.clone()]);
            }
            other => bail!("no such flag: {other}\n{}", super::USAGE),
        }
    }
    if build {
        super::build()?;
    }
    let cases = measure(&passed)?;
    print!("{}", table(&cases));
    if json {
        println!("{}", json!({ "cases": cases }));
    }
    Ok(())
}

fn measure(flags: &[String]) -> Result<Vec<Value>> {
    let nets = Nets::make()?;
    let running = Contender::Ours.start(&nets, SCENE)?;
    let mut command = nets.command(Side::Load, &load_program());
    command
        .args(["links", "--links", &links_file(), "--bind", LOAD])
        .args(flags)
        .stdout(Stdio::piped());
    let output = start(&mut command)?.wait_with_output()?;
    drop(running);
    let lines = String::from_utf8(output.stdout)?;
    ensure!(
        output.status.success(),
        "the load failed: {}\n{lines}",
        output.status
    );
    lines
        .lines()
        .map(|line| serde_json::from_str(line).context("the load's report"))
        .collect()
}

/// What came back after the road was good again, as the table's last column names it.
const RETURNED: [&str; 5] = [
    "picture_ms",
    "whole_picture_ms",
    "sound_ms",
    "its_picture_ms",
    "its_sound_ms",
];

fn table(cases: &[Value]) -> String {
    let mut text = format!(
        "{:<26} {:>28} {:>28} {:>28} {:>7} {:>6}  {}\n{:<26} {:>28} {:>28} {:>28} {:>7} {:>6}  {}\n",
        "",
        "at the site",
        "of the site",
        "between others",
        "sent",
        "made",
        "after the road was good again, ms",
        "",
        "fps freezes longest sound%",
        "fps freezes longest sound%",
        "fps freezes longest sound%",
        "again%",
        "anew",
        "picture whole-picture sound its-picture its-sound",
    );
    for case in cases {
        let seen = |key: &str| {
            let of = &case[key];
            format!(
                "{:>5.1} {:>4} {:>6} ms {:>6.1}%",
                of["fps"].as_f64().unwrap_or_default(),
                of["freezes"].as_u64().unwrap_or_default(),
                of["longest_freeze_ms"].as_u64().unwrap_or_default(),
                of["sound_percent"].as_f64().unwrap_or_default(),
            )
        };
        let name = case["case"].as_str().unwrap_or_default();
        let again = case["sent_again_percent"].as_f64().unwrap_or_default();
        let remade = case["remade"].as_u64().unwrap_or_default();
        let back = &case["returned"];
        let returned = match back.is_null() {
            true => String::new(),
            false => RETURNED
                .map(|key| {
                    back[key]
                        .as_u64()
                        .map_or("-".to_owned(), |ms| ms.to_string())
                })
                .join(" "),
        };
        text += &format!(
            "{name:<26} {:>28} {:>28} {:>28} {again:>7} {remade:>6}  {returned}\n",
            seen("it"),
            seen("of_it"),
            seen("witness"),
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_a_row() {
        let seen =
            json!({ "fps": 29.9, "freezes": 1, "longest_freeze_ms": 2_100, "sound_percent": 95.0 });
        let case = json!({
            "case": "outage", "it": seen, "of_it": seen, "witness": seen, "sent_again_percent": 3.5, "remade": 2,
            "returned": { "picture_ms": 80, "whole_picture_ms": 900, "sound_ms": 20, "its_picture_ms": null, "its_sound_ms": 40 },
        });
        let text = table(&[case]);
        assert!(text.contains("29.9    1   2100 ms   95.0%"), "{text}");
        assert!(text.contains("80 900 20 - 40"), "{text}");
    }
}
