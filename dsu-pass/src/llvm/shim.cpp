// What LLVM's C interface lacks. No decisions here: those are Rust's.
#include "llvm-c/Types.h"
#include "llvm/IR/Module.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/SpecialCaseList.h"
#include "llvm/Support/VirtualFileSystem.h"
#include "llvm/Transforms/IPO/ConstantMerge.h"
#include "llvm/Transforms/IPO/GlobalDCE.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"
#include "llvm/Transforms/Utils/Local.h"
#include "llvm/Transforms/Utils/ModuleUtils.h"
#include "llvm/Transforms/Utils/RelLookupTableConverter.h"

using namespace llvm;

static cl::opt<std::string> Options("dsu", cl::value_desc("KEY=VALUE,..."), cl::desc("Options of the DSU pass"));

extern "C" void dsu_pass_run(LLVMModuleRef, const char *Options, size_t Length);

namespace {
struct DsuPass : PassInfoMixin<DsuPass> {
  bool Optimised;
  explicit DsuPass(bool Optimised) : Optimised(Optimised) {}
  PreservedAnalyses run(Module &M, ModuleAnalysisManager &AM) {
    // Clang announces bitcode output for a link-time optimiser by these flags.
    bool LTO = M.getModuleFlag("ThinLTO") || M.getModuleFlag("EnableSplitLTOUnit");
    if (Optimised && !LTO) { // What LLVM would run after us must not see stubs: run it before.
      ModulePassManager MPM;
      MPM.addPass(GlobalDCEPass());
      MPM.addPass(ConstantMergePass());
      MPM.addPass(RelLookupTableConverterPass());
      MPM.run(M, AM);
    }
    dsu_pass_run(wrap(&M), Options.c_str(), Options.size());
    return PreservedAnalyses::none();
  }
  static bool isRequired() { return true; } // also for optnone and -opt-bisect-limit
};
} // namespace

extern "C" {
void dsu_register(PassBuilder &PB) {
  PB.registerOptimizerLastEPCallback([](ModulePassManager &MPM, OptimizationLevel Level) {
    MPM.addPass(DsuPass(Level != OptimizationLevel::O0));
  });
}
void dsu_error(LLVMModuleRef M, const char *Text, size_t Length) {
  unwrap(M)->getContext().emitError(StringRef(Text, Length));
}
void dsu_fatal(const char *Text, size_t Length) {
  report_fatal_error(StringRef(Text, Length), /*gen_crash_diag=*/false);
}
void dsu_append_compiler_used(LLVMModuleRef M, LLVMValueRef *Values, size_t Count) {
  std::vector<GlobalValue *> Used;
  for (size_t I = 0; I < Count; ++I)
    Used.push_back(unwrap<GlobalValue>(Values[I]));
  appendToCompilerUsed(*unwrap(M), Used);
}
void dsu_no_sanitize(LLVMValueRef V) {
  GlobalValue::SanitizerMetadata Meta;
  Meta.NoAddress = Meta.NoHWAddress = true;
  unwrap<GlobalVariable>(V)->setSanitizerMetadata(Meta);
}
// The instruction in whose place something may be put that runs when Condition holds, before Before.
LLVMValueRef dsu_split_if_then(LLVMValueRef Condition, LLVMValueRef Before) {
  return wrap(SplitBlockAndInsertIfThen(unwrap(Condition), unwrap<Instruction>(Before), false));
}
LLVMValueRef dsu_call_of_invoke(LLVMValueRef Invoke) { return wrap(changeToCall(unwrap<InvokeInst>(Invoke))); }
// Null after telling Sink why.
SpecialCaseList *dsu_list_open(const char *Path, size_t Length, void (*Say)(void *, const char *, size_t), void *Sink) {
  std::string Error;
  auto List = SpecialCaseList::create({std::string(Path, Length)}, *vfs::getRealFileSystem(), Error);
  if (!List)
    Say(Sink, Error.data(), Error.size());
  return List.release();
}
void dsu_list_close(SpecialCaseList *List) { delete List; }
unsigned dsu_list_line(SpecialCaseList *List, const char *Kind, const char *Name, size_t Length) {
  return List->inSectionBlame("dsu", Kind, StringRef(Name, Length));
}
}
