//! The report of a test: badges, intervals and names on the page.

use super::*;

/// The page that a log gives.
fn page(log: &TempDir) -> String {
    figures(log.path(), "--output out");
    fs::read_to_string(log.path().join("out/report.html")).unwrap()
}

#[test]
fn the_folder_holds_the_figures_and_a_report_and_is_left_alone_when_up_to_date() {
    let dir =
        log("arm,impressions,clicks,satisfaction\ncontrol,1000,100,\nb,1000,130,4\nb,0,0,5\n");
    let first = figures(dir.path(), "--output out");
    let out = dir.path().join("out");
    assert_eq!(
        names(&out).into_iter().collect::<Vec<_>>(),
        ["lineage.json", "metrics.json", "report.html", "report.md"]
    );
    let mut again = figures(dir.path(), "--output out --threads 1");
    assert_eq!(again["up_to_date"], true);
    again["up_to_date"] = false.into();
    assert_eq!(again, first);
    assert_eq!(
        figures(dir.path(), "--output out --confidence 0.9")["up_to_date"],
        false
    );
    let report = fs::read_to_string(out.join("report.md")).unwrap();
    assert!(
        report.starts_with(
            "# A/B test: b against control\n\nEvaluated on 14 November 2023.\n\n> the log has no users"
        ),
        "{report}"
    );
    assert!(
        report.contains("| b | - | click-through | 130 | 1000 | 0.13000 |"),
        "{report}"
    );
    let page = fs::read_to_string(out.join("report.html")).unwrap();
    for part in [
        "The click-through of b is higher: +0.03000 (+30.00 %) against control",
        "Lift of click-through",
        "split as planned",
    ] {
        assert!(page.contains(part), "{part}");
    }
    let ended = EVALUATE.run(dir.path(), "abtest --log log.csv --quiet");
    assert_snapshot!(ended.stdout, @r"
    arm      users        measure  counted    of     mean         95 % interval  by user
    control      -  click-through      100  1000  0.10000    0.08291 to 0.12015        -
    b            -  click-through      130  1000  0.13000    0.11056 to 0.15227        -
    b            -   satisfaction        2     -  4.50000  -1.85310 to 10.85310        -
    
    arm        measure              test      lift         95 % interval  relative        95 % interval      p  chance better
    b    click-through  z, by impression  +0.03000  +0.00205 to +0.05817  +30.00 %  +1.79 % to +66.13 %  0.035          0.982
    
    impressions: b 1000 (1000 planned), control 1000 (1000 planned); p 1.000: split as planned
    the answers rest on the tests by impression and by answer, since the log has no users
    ");
}

#[test]
fn the_badge_goes_by_the_corrected_p() {
    let alone = log("arm,impressions,clicks\ncontrol,1000,100\nb,1000,130\n");
    assert!(page(&alone).contains("The click-through of b is higher"));
    let several = log("arm,impressions,clicks\ncontrol,1000,100\nb,1000,130\nc,1000,102\n");
    let page = page(&several);
    for part in [
        "The click-through of b shows no clear difference: +0.03000",
        "p 0.071 after Holm's correction for the 2 arms compared with control, 0.035 without it",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("▲ Better"));
}

#[test]
fn what_cannot_be_tested_has_no_badge() {
    let alike = "arm,user_id,satisfaction\ncontrol,u1,2\ncontrol,u2,2\nb,u3,3\nb,u4,3\n";
    let page = page(&log(alike));
    assert!(page.contains("The satisfaction of b cannot be tested: +1.00000"));
    assert!(page.contains("There are too few values, or none that differ (z, by user)."));
    assert!(!page.contains("<p class=\"badge\">"));
}

#[test]
fn a_lift_without_bounds_has_no_interval_and_reads_back() {
    // Means near 0 beside their errors: the ratio may be anything.
    let dir = log("arm,satisfaction\ncontrol,1\ncontrol,-0.9999999\nb,2\nb,-1.9999999\n");
    let first = figures(dir.path(), "--output out");
    let lift = &first["lifts"][0]["satisfaction"]["independent"];
    close(&lift["relative"], 0.0, 1e-6);
    assert!(lift["relative_interval"].is_null(), "{lift}");
    let mut again = figures(dir.path(), "--output out");
    assert_eq!(again["up_to_date"], true);
    again["up_to_date"] = false.into();
    assert_eq!(again, first);
}

#[test]
fn names_of_arms_break_no_table() {
    let names = [r"a\|b", "`<b>bold</b>`", "two\nlines", "[x](y) *z* @team"];
    let dir = tempfile::tempdir().unwrap();
    let mut rows = json!({"arm": "control", "impressions": 100, "clicks": 50}).to_string();
    for arm in names {
        write!(
            rows,
            "\n{}",
            json!({"arm": arm, "impressions": 100, "clicks": 50})
        )
        .unwrap();
    }
    fs::write(dir.path().join("log.jsonl"), rows).unwrap();
    let ended = EVALUATE.run(dir.path(), "abtest --log log.jsonl --output out --quiet");
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stdout.contains("two lines"), "{}", ended.stdout);
    let report = fs::read_to_string(dir.path().join("out/report.md")).unwrap();
    let tables = report.lines().filter(|line| line.starts_with('|'));
    let widths: Vec<usize> = tables.map(|line| line.matches('|').count()).collect();
    // Two heads of two lines, five arms and four lifts, a bar more than there are columns.
    assert_eq!(widths, [vec![9; 2 + 5], vec![11; 2 + 4]].concat());
    assert!(report.contains("| two lines | - | click-through |"));
    assert!(report.contains("| a&#92;&#124;b | - | click-through |"));
    assert!(!report.contains("<b>") && !report.contains("@team") && !report.contains("*z*"));
}
