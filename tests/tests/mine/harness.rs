//! The tables that the tests read from.

use std::fs;

use tempfile::TempDir;

/// A help desk's pairs, corpus and judgements.
pub fn help_desk() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
    write(
        "pairs.csv",
        "anchor_id,anchor,positive_id,positive\n\
         q1,how do I reset the device?,p1,Hold the button for ten seconds to reset.\n\
         q2,How  do I reset the device? ,p2,Pull the plug and reset it.\n\
         q3,zebra?,p3,Stripes are black.\n",
    );
    write(
        "corpus.csv",
        "id,title,text,topic\n\
         p1,,Hold the button for ten seconds to reset.,device\n\
         p2,,Pull the plug and reset it.,device\n\
         p3,,Stripes are black.,animals\n\
         d1,,Hold the  button for ten seconds to reset.,copies\n\
         q1,,Reset the device.,others\n\
         d2,How do,i reset the DEVICE?,questions\n\
         d3,Device,Reset the password.,device\n\
         d4,,Reset the router.,network\n\
         d5,,Judged: reset by remote control.,network\n\
         d6,,Nothing of the kind.,network\n",
    );
    write(
        "qrels.csv",
        "query_id,corpus_id,score\nq1,d5,1\nq1,nowhere,2\nq1,d4,0\nstranger,d3,1\n",
    );
    dir
}
