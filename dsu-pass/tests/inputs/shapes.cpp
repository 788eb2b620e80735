// C++ entries: comdats, thunks, cleanups, exceptions.
#include <stdexcept>
#include <string>
#include <vector>

extern int outside(int);

struct Shape { virtual ~Shape() {} virtual int area() const = 0; int id = 1; };
struct Named { virtual ~Named() {} virtual std::string name() const { return "named"; } };
struct Box : Shape, Named {
    int side;
    explicit Box(int s) : side(s) {}
    int area() const override { return side * side; }
    std::string name() const override { return "box" + std::to_string(side); }
};
template <typename T> T largest(const std::vector<T> &v) { T m = v.at(0); for (auto &x : v) if (m < x) m = x; return m; }
inline int shared_inline(int x) { static int calls; return x + ++calls; }
static int guarded(int x) { try { if (x > 3) throw std::runtime_error("x"); return outside(x); } catch (const std::exception &e) { return e.what()[0]; } }
int run(int x)
{
    Box b(x);
    const Shape &s = b;
    const Named &n = b;
    auto f = [&](int y) { return y + b.side + outside(y); };
    return largest(std::vector<int>{1, 2, x}) + s.area() + (int)n.name().size() + guarded(x) + f(x) + shared_inline(x);
}
