// What LLVM's C interface lacks. No decisions here: those are Rust's.
#include "llvm-c/Types.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/IR/DebugInfo.h"
#include "llvm/IR/Module.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/SpecialCaseList.h"
#include "llvm/Support/VirtualFileSystem.h"
#include "llvm/Transforms/IPO/ConstantMerge.h"
#include "llvm/Transforms/IPO/GlobalDCE.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"
#include "llvm/Transforms/Utils/Cloning.h"
#include "llvm/Transforms/Utils/CodeExtractor.h"
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
// Where execution goes on behind a call, for nobody else: one place, or two behind an invoke.
size_t dsu_behind(LLVMValueRef Call, LLVMValueRef *Places) {
  auto *Invoke = dyn_cast<InvokeInst>(unwrap(Call));
  if (!Invoke) {
    Places[0] = wrap(unwrap<Instruction>(Call)->getNextNonDebugInstruction());
    return 1;
  }
  SmallVector<BasicBlock *, 2> Pads;
  if (!Invoke->getUnwindDest()->getUniquePredecessor())
    SplitLandingPadPredecessors(Invoke->getUnwindDest(), {Invoke->getParent()}, ".dsu", ".others", Pads);
  Places[1] = wrap(&*Invoke->getUnwindDest()->getFirstInsertionPt());
  Places[0] = wrap(&*SplitEdge(Invoke->getParent(), Invoke->getNormalDest())->getFirstInsertionPt());
  return 2;
}
LLVMBasicBlockRef dsu_split(LLVMValueRef Before) {
  auto *At = unwrap<Instruction>(Before);
  return wrap(SplitBlock(At->getParent(), At));
}
// Null where it cannot be done, and nothing is changed then.
LLVMValueRef dsu_outline(LLVMBasicBlockRef *Blocks, size_t Count, const char *Suffix) {
  SmallVector<BasicBlock *, 16> Region;
  for (size_t I = 0; I < Count; ++I)
    Region.push_back(unwrap(Blocks[I]));
  CodeExtractor Extractor(Region, nullptr, false, nullptr, nullptr, nullptr, false, false, nullptr, Suffix);
  CodeExtractorAnalysisCache Cache(*Region.front()->getParent());
  return Extractor.isEligible() ? wrap(Extractor.extractCodeRegion(Cache)) : nullptr;
}
// A copy that only this module knows.
LLVMValueRef dsu_copy(LLVMValueRef F, const char *Suffix) {
  auto *Old = unwrap<Function>(F);
  ValueToValueMapTy Map;
  Function *Copy = CloneFunction(Old, Map);
  Copy->setName(Old->getName() + "." + Suffix);
  Copy->setComdat(nullptr);
  Copy->setLinkage(GlobalValue::InternalLinkage); // resets the visibility
  return wrap(Copy);
}
// Each DIFile that scopes, types and variables of the debug information name.
void dsu_files(LLVMModuleRef M, void (*Take)(void *, LLVMMetadataRef), void *Sink) {
  DebugInfoFinder Finder;
  Finder.processModule(*unwrap(M));
  SetVector<DIFile *> Files;
  for (auto *Unit : Finder.compile_units())
    Files.insert(Unit->getFile());
  for (auto *Function : Finder.subprograms())
    Files.insert(Function->getFile());
  for (auto *Scope : Finder.scopes())
    Files.insert(Scope->getFile());
  for (auto *Type : Finder.types())
    Files.insert(Type->getFile());
  for (auto *Variable : Finder.global_variables())
    Files.insert(Variable->getVariable()->getFile());
  Files.remove(nullptr);
  for (auto *File : Files)
    Take(Sink, wrap(File));
}
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
