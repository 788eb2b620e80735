//! Steps between releases that give a patch, and go on giving one; `dsu-bench corpus` takes all of them.
use anyhow::bail;
use testsuite::corpus::source;
use testsuite::corpus::step::{Verdict, Vouched, take};
use testsuite::real::skip::run;

/// zlib 1.2.13 to 1.3.1: the version it tells is among what changes.
#[test]
fn a_running_zlib_becomes_its_next_release() {
    run(|| {
        let zlib = source("zlib")?;
        match take(zlib.as_ref(), "1.1.9", "1.1.15")?.verdict {
            Verdict::Patched { visible, functions, .. } => assert!(visible && functions > 5, "{functions} functions"),
            other => bail!("{other:?}"),
        }
        Ok(())
    });
}

/// 1.3.1 to 1.3.2 lets the state of a stream grow, which running streams would not survive.
#[test]
fn a_grown_structure_is_refused() {
    run(|| {
        let zlib = source("zlib")?;
        match take(zlib.as_ref(), "1.1.15", "1.1.25")?.verdict {
            Verdict::Refused { reasons, vouched } => {
                assert!(reasons.contains_key("layout-changed"), "{reasons:?}");
                // No stream is open between two pieces of work, so a person may vouch for it.
                assert_eq!(vouched, Vouched::Works);
            }
            other => bail!("{other:?}"),
        }
        Ok(())
    });
}

/// tinyproxy's fix is inlined into the function that each connection's thread starts with: the next one has it. Without
/// it, pages show what lies in memory.
#[test]
fn the_next_connection_of_a_running_tinyproxy_has_the_fix() {
    run(|| {
        let tinyproxy = source("tinyproxy")?;
        let versions = tinyproxy.versions()?;
        match take(tinyproxy.as_ref(), &versions[0], &versions[1])?.verdict {
            Verdict::Patched { visible: true, in_newest: false, .. } => Ok(()),
            other => bail!("{other:?}"),
        }
    });
}
