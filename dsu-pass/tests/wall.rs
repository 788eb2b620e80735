//! The wall to LLVM, seen from outside.

use dsu_pass::llvm::{Context, Linkage, LlvmError};

const TEXT: &str = "\
@table = internal constant [2 x ptr] [ptr @used, ptr @used]
define internal i32 @used(i32 %x) { ret i32 %x }
declare void @elsewhere()
";

#[test]
fn bitcode_written_is_bitcode_read() {
    let context = Context::new();
    let text = context.parse(TEXT.as_bytes(), "text").expect("valid IR");
    let again = context.parse(&text.to_bitcode(), "bitcode").expect("just written");
    again.verify().expect("valid IR");
    let names: Vec<_> = again.functions().map(|f| (f.name(), f.is_declaration(), f.linkage())).collect();
    assert_eq!(
        names,
        [("used".to_owned(), false, Linkage::Internal), ("elsewhere".to_owned(), true, Linkage::External)]
    );
    let table = again.global("table").expect("kept");
    let array = table.operands().next().expect("its initialiser");
    assert_eq!(array.operands().map(|f| f.name()).collect::<Vec<_>>(), ["used", "used"]);
}

#[test]
fn cut_bitcode_is_an_error_not_an_exit() {
    let context = Context::new();
    let whole = context.parse(TEXT.as_bytes(), "text").expect("valid IR").to_bitcode();
    for len in [0, 3, 4, 20, whole.len() / 2 / 4 * 4] {
        let read = context.parse(&whole[..len], "cut");
        assert!(matches!(read, Err(LlvmError::Parse(_))) || len == 0, "{len} bytes gave {read:?}");
    }
}
