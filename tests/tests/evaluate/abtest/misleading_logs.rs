//! Logs whose figures would mislead: double clicks, robots, times that do not fit.

use super::*;

fn said(found: &Value) -> String {
    let warnings = found["warnings"].as_array().unwrap().iter();
    let warnings: Vec<&str> = warnings.map(|warning| warning.as_str().unwrap()).collect();
    warnings.join("\n")
}

#[test]
fn an_unsound_log_is_refused_and_leaves_nothing() {
    let refused = |text: &str, options: &str| {
        let dir = log(text);
        let line = format!("abtest --log log.csv --output out {options}");
        EVALUATE.refused(dir.path(), &line, 1)
    };
    assert_snapshot!(refused("variant,clicks\na,1\n", ""), @"error: log.csv: no column `arm`; found variant, clicks; name another one with --arm-column");
    assert_snapshot!(refused("arm,views\na,1\n", ""), @"error: log.csv: no column `clicks`, `clicked` or `satisfaction`; found arm, views; name one with --clicks-column or --satisfaction-column");
    assert_snapshot!(refused("arm,clicks\ncontrol,1\n", ""), @"error: log.csv: holds only the arm `control`; an A/B test compares at least two arms");
    assert_snapshot!(refused("arm,clicks\n", ""), @"error: log.csv: holds no rows; an A/B test compares at least two arms");
    assert_snapshot!(refused("arm,clicks\na,1\nb,0\n", ""), @"error: log.csv: no arm `control`; found a, b; name the arm to compare with by --control");
    assert_snapshot!(refused("arm,clicks\ncontrol,1\nb,0\n", "--weights control=1,c=1"), @"error: log.csv: --weights names control, c, but the log has the arm `b`; give every arm its weight");
    assert_snapshot!(refused("arm,clicks\ncontrol,1\n,0\n", ""), @"error: log.csv: column `arm` is null in row 2 (counted from 1, header not counted); expected the name of an arm");
    assert_snapshot!(refused("arm,user_id,clicks\ncontrol,,1\nb,u,0\n", ""), @"error: log.csv: column `user_id` is null in row 1 (counted from 1, header not counted); expected an id; or give --ignore-users");
    assert_snapshot!(refused("arm,clicks\ncontrol,1\nb,-1\n", ""), @"error: log.csv: column `clicks` is `-1` in row 2 (counted from 1, header not counted); expected a whole number of 0 or more");
    assert_snapshot!(refused("arm,clicks\ncontrol,1\nb,0.5\n", ""), @"error: log.csv: column `clicks` is `0.5` in row 2 (counted from 1, header not counted); expected a whole number of 0 or more");
    assert_snapshot!(refused("arm,impressions,clicks\ncontrol,4,1\nb,4,7\n", ""), @"error: log.csv: row 2 (counted from 1, header not counted) has 7 clicks in 4 impressions; count an impression that was clicked twice once, or name the column of impressions with --impressions-column");
    assert_snapshot!(refused("arm,clicks\ncontrol,31\nb,0\n", ""), @"error: log.csv: row 1 (counted from 1, header not counted) has 31 clicks in 1 impressions; count an impression that was clicked twice once, or name the column of impressions with --impressions-column");
    assert_snapshot!(refused("arm,impressions,clicks\ncontrol,1,0\ncontrol,0,2\nb,4,1\n", ""), @"error: log.csv: the arm `control` has 2 clicks in 1 impressions; count an impression that was clicked twice once, or name the column of impressions with --impressions-column");
    assert_snapshot!(refused("arm,satisfaction\ncontrol,good\nb,0\n", ""), @"error: log.csv: column `satisfaction` is `good` in row 1 (counted from 1, header not counted); expected a number from -1e100 to 1e100");
    assert_snapshot!(refused("arm,satisfaction\ncontrol,NaN\nb,0\n", ""), @"error: log.csv: column `satisfaction` is `NaN` in row 1 (counted from 1, header not counted); expected a number from -1e100 to 1e100");
    assert_snapshot!(refused("arm,satisfaction,satisfaction_count\ncontrol,4,3\nb,3,1\n", ""), @"error: log.csv: row 1 (counted from 1, header not counted) sums up 3 answers, whose standard deviation is needed, but there is no column `satisfaction_sd`; write it there (divisor n - 1), or give every answer a row of its own and leave the column `satisfaction_count` out");
    let spread = "arm,satisfaction,satisfaction_count,satisfaction_sd\ncontrol,4,3,1\nb,3,2,";
    assert_snapshot!(refused(&format!("{spread}\n"), ""), @"error: log.csv: row 2 (counted from 1, header not counted) sums up 2 answers, whose standard deviation is needed, but `satisfaction_sd` is null; write it there (divisor n - 1), or give every answer a row of its own and leave the column `satisfaction_count` out");
    assert_snapshot!(refused(&format!("{spread}-1\n"), ""), @"error: log.csv: column `satisfaction_sd` is `-1` in row 2 (counted from 1, header not counted); expected a standard deviation from 0 to 1e100");
    assert_snapshot!(refused("arm,impressions,clicks\ncontrol,0,0\nb,10,1\n", ""), @"error: log.csv: no arm can be compared with the control: `control` has 0 impressions, `b` has 10 impressions; click-through takes impressions in both, satisfaction takes answers in both");
    assert_snapshot!(refused("arm,satisfaction\ncontrol,\nb,2\n", ""), @"error: log.csv: no arm can be compared with the control: `control` has 1 impression and 0 answers, `b` has 1 impression and 1 answer; click-through takes impressions in both, satisfaction takes answers in both");
    let mut many = "arm,clicks\n".to_owned();
    (0..101).for_each(|arm| writeln!(many, "user-{arm},1").unwrap());
    assert_snapshot!(refused(&many, ""), @"error: log.csv: column `arm` holds more than 100 different arms; check that --arm-column names the right one");
}

#[test]
fn an_impression_that_was_clicked_several_times_was_clicked() {
    // Every tenth impression is clicked in both arms; one page logs each click of a hasty finger.
    let mut text = "arm,user_id,clicks\n".to_owned();
    for user in 0..400 {
        let clicks = u64::from(user % 10 == 0);
        writeln!(text, "control,c{user},{clicks}").unwrap();
        writeln!(text, "b,b{user},{}", clicks * (1 + user % 3)).unwrap();
    }
    let dir = log(&text);
    let found = figures(dir.path(), "--output out");
    assert_eq!(found["arms"][1]["clicks"], 40);
    let lift = &found["lifts"][0]["click_through"]["by_user"];
    close(&lift["absolute"], 0.0, 1e-12);
    let warning = "26 of 800 rows have more clicks than one impression can have (the first: row 22, 2 clicks)";
    assert!(said(&found).contains(warning), "{}", said(&found));
    let page = fs::read_to_string(dir.path().join("out/report.html")).unwrap();
    assert!(page.contains("such an impression counts as clicked once"));

    // The same in rows of their own, told by the id of the impression.
    let rows =
        "arm,impression_id,clicks\ncontrol,i1,1\ncontrol,i2,0\nb,i3,0\nb,i3,1\nb,i3,1\nb,i4,0\n";
    let found = figures(log(rows).path(), "");
    let counted = |arm: usize, of: &str| found["arms"][arm][of].as_u64().unwrap();
    assert_eq!([counted(1, "impressions"), counted(1, "clicks")], [2, 1]);
    assert!(said(&found).contains("2 of 6 rows are of an impression that an earlier row has"));
    // Or by what a user can have clicked.
    let rows = "arm,user_id,impressions,clicks\ncontrol,u1,3,1\nb,u2,2,0\nb,u2,0,3\n";
    let found = figures(log(rows).path(), "");
    assert_eq!(found["arms"][1]["clicks"], 2);
    assert!(
        said(&found).contains("(the first: `u2`, 3 clicks on 2)"),
        "{}",
        said(&found)
    );
}

#[test]
fn an_arm_without_a_click_has_intervals_with_a_width() {
    let mut text = "arm,user_id,clicks\n".to_owned();
    for user in 0..60 {
        writeln!(
            text,
            "control,c{user},{}\nb,b{user},0",
            u64::from(user % 12 == 0)
        )
        .unwrap();
    }
    let found = figures(log(&text).path(), "");
    let none = &found["arms"][1]["click_through"];
    for interval in [&none["interval"], &none["by_user"]] {
        assert_eq!(interval["low"], 0.0);
        assert!(interval["high"].as_f64().unwrap() > 0.05, "{interval}");
    }
    for test in ["independent", "by_user"] {
        let lift = &found["lifts"][0]["click_through"][test];
        assert_eq!(lift["relative"], -1.0);
        let holds_0 = |interval: &Value| {
            interval["low"].as_f64().unwrap() <= 0.0 && interval["high"].as_f64().unwrap() >= 0.0
        };
        let both = [&lift["absolute_interval"], &lift["relative_interval"]].map(holds_0);
        assert_eq!(both[0], both[1], "{lift}");
    }
}

#[test]
fn a_robot_is_named_and_its_arm_is_told_without_it() {
    let mut text = "arm,user_id,impressions,clicks\n".to_owned();
    for user in 0..120 {
        writeln!(text, "control,c{user},5,{}", user % 2).unwrap();
        writeln!(text, "b,b{user},5,{}", (user + 1) % 2).unwrap();
    }
    text += "b,crawler,500,500\nb,tester,25,25\n";
    let found = figures(log(&text).path(), "");
    let said = said(&found);
    for part in [
        "one user of b (`crawler`) has 500 of its 1125 impressions (44 %) and 500 of its 585 clicks",
        "one user of b (`tester`) has clicked every impression: 25 of its 1125 impressions",
        "without such users the click-through of b is 0.10000 against 0.10000 (p 1.000 by user)",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let lift = &found["lifts"][0]["click_through"]["by_user"];
    let end = |interval: &str, end: &str| lift[interval][end].as_f64().unwrap();
    assert!(end("absolute_interval", "low") < 0.0 && end("relative_interval", "low") < 0.0);
    assert!(
        found["rests_on"]
            .as_str()
            .unwrap()
            .starts_with("the tests by user: 242 users, 242 of them"),
        "{}",
        found["rests_on"]
    );
}

#[test]
fn times_that_do_not_fit_are_counted_and_named() {
    let mut text = "arm,user_id,timestamp,clicks\n".to_owned();
    for user in 0..30 {
        writeln!(
            text,
            "control,c{user},2026-03-01 08:{user:02}:00,{}",
            user % 2
        )
        .unwrap();
        writeln!(text, "b,b{user},2026-03-01 08:{user:02}:30,{}", user % 2).unwrap();
    }
    let mixed = text.clone() + "b,c3,2026-03-01 07:59:00,0\n";
    let found = figures(log(&mixed).path(), "");
    for part in [
        "1 of 61 rows with a time lies before the row above (the first: row 61, 2026-03-01 07:59:00 below 2026-03-01 08:29:30)",
        "1 user was seen in more than one arm (`c3`)",
    ] {
        assert!(said(&found).contains(part), "{part}: {}", said(&found));
    }
    assert_eq!(said(&figures(log(&text).path(), "")), "");
    // One arm a day later: what differs may be the day.
    let later = text.replace("-01 08:", "-02 08:");
    let apart: String = text
        .lines()
        .filter(|line| !line.starts_with("b,"))
        .chain(later.lines().filter(|line| line.starts_with("b,")))
        .map(|line| format!("{line}\n"))
        .collect();
    let found = figures(log(&apart).path(), "");
    assert!(
        said(&found).contains("b was seen from 2026-03-02 08:00:30"),
        "{}",
        said(&found)
    );
    // Forty clicks within ten seconds.
    let mut fast = text;
    (0..40).for_each(|event| writeln!(fast, "b,bot,2026-03-01 08:30:{:02},0", event / 4).unwrap());
    let found = figures(log(&fast).path(), "");
    assert!(
        said(&found).contains("one user of b (`bot`) has"),
        "{}",
        said(&found)
    );
}
