#include "tests/fuzz/target.h"

// What libFuzzer calls (preset `fuzz`): the one target that is linked in.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace galleryd::fuzz;
    targets().front().run(std::string_view(reinterpret_cast<const char*>(data), size));
    return 0;
}
