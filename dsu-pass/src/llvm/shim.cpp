// What LLVM's C interface lacks. No decisions here: those are Rust's.
#include "llvm-c/Types.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/IR/DebugInfo.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Operator.h"
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

// Which bits of its own variables a unit reads and writes, in a list that patchgen finds: the optimiser takes the first value
// of what is never written and drops what is never read, without a trace.
static const char Accesses[] = "dsu.accesses";

namespace {
class AccessPass : public PassInfoMixin<AccessPass> {
  struct Span {
    bool Write;
    uint64_t Offset, Size;
    bool operator<(const Span &O) const { return std::tie(Write, Offset, Size) < std::tie(O.Write, O.Offset, O.Size); }
  };
  const DataLayout *Layout;
  uint64_t Whole;
  std::set<Span> Spans;

  void add(bool Write, std::optional<uint64_t> Offset, uint64_t Size) {
    bool Inside = Offset && *Offset + Size <= Whole;
    Spans.insert({Write, Inside ? *Offset : 0, Inside ? Size : Whole});
  }
  // `x++` alone reads nothing: what it read goes back.
  static bool goesBack(const LoadInst *Load) {
    auto *Step = Load->hasOneUse() ? dyn_cast<BinaryOperator>(Load->user_back()) : nullptr;
    auto *Store = Step && Step->hasOneUse() ? dyn_cast<StoreInst>(Step->user_back()) : nullptr;
    return Store && Store->getValueOperand() == Step && Store->getPointerOperand() == Load->getPointerOperand() &&
           Load->isSimple() && Store->isSimple();
  }
  void walk(const Value *V, std::optional<uint64_t> Offset) {
    auto Size = [&](Type *T) { return Layout->getTypeStoreSize(T).getFixedValue(); };
    for (const Use &U : V->uses()) {
      const User *By = U.getUser();
      if (auto *Load = dyn_cast<LoadInst>(By)) {
        if (!goesBack(Load))
          add(false, Offset, Size(Load->getType()));
      } else if (auto *Store = dyn_cast<StoreInst>(By); Store && U.getOperandNo() == Store->getPointerOperandIndex())
        add(true, Offset, Size(Store->getValueOperand()->getType()));
      else if (auto *GEP = dyn_cast<GEPOperator>(By)) {
        APInt Step(Layout->getIndexTypeSizeInBits(GEP->getType()), 0);
        bool Known = Offset && GEP->accumulateConstantOffset(*Layout, Step) && !Step.isNegative();
        walk(GEP, Known ? std::optional<uint64_t>(*Offset + Step.getZExtValue()) : std::nullopt);
      } else if (auto *Copy = dyn_cast<MemIntrinsic>(By); Copy && isa<ConstantInt>(Copy->getLength()))
        add(U.getOperandNo() == 0, Offset, cast<ConstantInt>(Copy->getLength())->getZExtValue());
      else { // its address is anywhere
        add(false, std::nullopt, Whole);
        add(true, std::nullopt, Whole);
      }
    }
  }

public:
  PreservedAnalyses run(Module &M, ModuleAnalysisManager &) {
    Layout = &M.getDataLayout();
    LLVMContext &C = M.getContext();
    auto Number = [&](uint64_t N) { return ConstantAsMetadata::get(ConstantInt::get(Type::getInt64Ty(C), N)); };
    for (GlobalVariable &Variable : M.globals()) {
      SmallVector<DIGlobalVariableExpression *, 1> Declared;
      Variable.getDebugInfo(Declared);
      if (!Variable.hasLocalLinkage() || Variable.isConstant() || Declared.empty())
        continue;
      Whole = Layout->getTypeAllocSize(Variable.getValueType()).getFixedValue();
      Spans.clear();
      walk(&Variable, 0);
      for (const Span &S : Spans)
        M.getOrInsertNamedMetadata(Accesses)->addOperand(MDTuple::get(
            C, {Declared.front()->getVariable(), Number(S.Write), Number(S.Offset * 8), Number(S.Size * 8)}));
    }
    return PreservedAnalyses::all();
  }
  static bool isRequired() { return true; }
};

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
    if (NamedMDNode *List = M.getNamedMetadata(Accesses))
      M.eraseNamedMetadata(List);
    return PreservedAnalyses::none();
  }
  static bool isRequired() { return true; } // also for optnone and -opt-bisect-limit
};
} // namespace

extern "C" {
void dsu_register(PassBuilder &PB) {
  PB.registerPipelineStartEPCallback(
      [](ModulePassManager &MPM, OptimizationLevel) { MPM.addPass(AccessPass()); });
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
