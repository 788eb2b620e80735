import re
def sub(p,*prs):
    t=open(p).read()
    for a,b in prs:
        if a not in t: print(p,'MISSING',a[:70])
        t=t.replace(a,b)
    open(p,'w').write(t)
H='self.history.'
# driver/requests/closed use history
for p in ['driver.rs','requests.rs','closed.rs','server.rs']:
    t=open(p).read()
    for f in ['active','undo','generation','numbered']:
        t=re.sub(r'\bself\.%s\b(?!\()'%f, 'self.history.%s'%f, t)
    for f in ['active_on','undo_on','change_to','unchanged','forget_same']:
        t=re.sub(r'\bself\.%s\('%f, 'self.history.%s('%f, t)
    open(p,'w').write(t)
sub('driver.rs',(open('driver.rs').read()[open('driver.rs').read().index('        if change.forget_all {'):open('driver.rs').read().index('    /// Threads that have moved are to go back')],'''        self.history.enter(&change);
        self.after = None;
    }

'''),('fn turn(&mut self','pub(crate) fn cancel(&mut self'),('self.turn(transition)','self.cancel(transition)'),('let _turned','let _cancelled'),
 ('    fn commit(','    pub(crate) fn commit('),('    fn check_of','    pub(crate) fn check_of'),('    fn begin_moving','    pub(crate) fn begin_moving'),('    fn record(','    pub(crate) fn record('))
sub('requests.rs',('self.cancel(transition, begin)','self.cancel_update(transition, begin)'),('fn cancel(&mut self','fn cancel_update(&mut self'),('self.turn(transition)?','self.cancel(transition)?'))
sub('history.rs',('    fn change_to','    pub(crate) fn change_to'),('    fn unchanged','    pub(crate) fn unchanged'),('fn images_of','pub(crate) fn images_of'),('struct UndoEntry','pub(crate) struct UndoEntry'),('pub(super) fn forget_same','pub(crate) fn forget_same'),('    undo: [Option<UndoEntry>; UNDO],','    pub(crate) undo: [Option<UndoEntry>; UNDO],'))
t=open('history.rs').read()
t=t.replace('const UNDO: usize','const UNDO: usize')
i=t.index('/// What an update leaves behind'); j=t.index('/// See the module')
t=t[:i]+t[i:j].replace('struct Change','pub(crate) struct Change').replace('    active:','    pub(crate) active:').replace('    generation:','    pub(crate) generation:').replace('    remember:','    pub(crate) remember:').replace('    forget_all:','    pub(crate) forget_all:').replace('    transition:','    pub(crate) transition:')+t[j:]
i=t.index('pub(crate) struct UndoEntry'); j=t.index('}',i)
t=t[:i]+t[i:j].replace('    active:','    pub(crate) active:')+t[j:]
t=t.replace('    thread: bool,\n}','    pub(crate) thread: bool,\n}')
open('history.rs','w').write(t)
t=open('state.rs').read()
i=t.index('pub(crate) struct State'); j=t.index('impl State')
b=t[i:j]
b=b.replace('''    active: [Option<Active>; MODULES],
    undo: [Option<UndoEntry>; UNDO],
    /// Generation of threads that have nothing left to do.
    pub(crate) generation: u32,
    /// The last number given to a generation.
    numbered: u32,
''','''    history: History,
''').replace('''    active: [None; MODULES],
    undo: [None; UNDO],
    generation: 0,
    numbered: 0,
''','''    history: History::new(),
''')
b=re.sub(r'^    (images|history|plan|change|newest_is_second|after|epochs|program|reclaim|has_retired|looked|look_ns): (?=[A-Zub&O])',lambda m:'    pub(crate) %s: '%m.group(1),b,count=0,flags=re.M)
# initialiser part must not have pub
k=b.index('ThreadCell::new(State {')
b=b[:k]+b[k:].replace('pub(crate) ','')
open('state.rs','w').write(t[:i]+b+t[j:])
