#include <nlohmann/json.hpp>

#include "controller/simulator/call.h"
#include "controller/simulator/control.h"
#include "controller/simulator/simulator.h"
#include "tests/fuzz/target.h"

// The front of the built-in Azure: whatever is asked of it, each answer is whole, and what it keeps can be saved and
// loaded. The input is a few requests, "METHOD /target", header lines, an empty line and a body, parted by "===="
// lines; the last byte says how much time passes between two of them.
namespace galleryd::fuzz {
namespace {

using namespace galleryd::simulator;

constexpr std::size_t requests_max = 8;
constexpr std::string_view boundary = "\n====\n";
constexpr const char* estate =
    R"({"resources":[
    {"id":"/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/providers/Microsoft.Compute/images/golden","location":"eastus2",
     "properties":{"storageProfile":{"osDisk":{"osType":"Linux","diskSizeGB":30}}}},
    {"id":"/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/providers/Microsoft.Compute/galleries/g","location":"eastus2"},
    {"id":"/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/providers/Microsoft.Compute/galleries/g/images/d","location":"eastus2",
     "properties":{"osType":"Linux","osState":"Generalized","hyperVGeneration":"V1",
                   "identifier":{"publisher":"p","offer":"o","sku":"s"}}},
    {"id":"/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/providers/Microsoft.Compute/galleries/g/images/d/versions/1.0.0",
     "location":"eastus2","properties":{"publishingProfile":{"targetRegions":[{"name":"eastus2"}]},
     "storageProfile":{"source":{"id":"/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/providers/Microsoft.Compute/images/golden"}}}}
    ]})";

class SteppedClock final : public Clock {
  public:
    TimePoint now() const override { return std::chrono::sys_days{std::chrono::year{2026} / 3 / 1} + passed_; }
    std::chrono::nanoseconds monotonic() const override { return passed_; }
    boost::asio::awaitable<void> sleep_for(std::chrono::nanoseconds) override { co_return; }
    void pass(std::chrono::seconds time) { passed_ += time; }

  private:
    std::chrono::seconds passed_{1000};
};

http::ServerRequest read_request(std::string_view text) {
    http::ServerRequest request;
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view first = text.substr(0, end);
    const std::size_t blank = std::min(first.find(' '), first.size());
    request.method = first.substr(0, blank);
    request.target = first.substr(std::min(blank + 1, first.size()));
    request.host = "azure.test";
    const HeadAndBody parts = cut_head(text.substr(std::min(end + 1, text.size())));
    for (const auto& [name, value] : parts.fields) request.headers.add(name, value);
    request.body = parts.body;
    return request;
}

bool is_one_line(std::string_view text) {
    return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

void check_answer(const http::ServerResponse& answer) {
    require(answer.status >= 200 && answer.status <= 599, "an answer has a status");
    if (answer.body.contains("The built-in Azure failed")) throw Broken("no rule expects this request: " + answer.body);
    require(answer.body.size() <= 16UL * 1024 * 1024, "an answer is bounded");
    for (const auto& [name, value] : answer.headers.fields())
        require(is_one_line(name) && is_one_line(value), "a header cannot forge a line");
    if (!answer.headers.get("Content-Type").contains("json") || answer.body.empty()) return;
    require(nlohmann::json::accept(answer.body), "a body that says it is JSON is JSON");
}

void check_path(const std::string& target) {
    const Path path = parse_path(target);
    require(path.segments.size() == path.folded.size(), "a path has one reading");
    require(path.segments.size() <= target.size() + 1, "a segment is a byte at least");
}

void check_state(Simulator& azure, Clock& clock) {
    const std::string saved = azure.save_state();
    require(nlohmann::json::accept(saved), "what is saved is JSON");
    Simulator again(clock, Options{});
    const Status loaded = again.load_state(saved);
    require(loaded.has_value(), "what is saved can be loaded: " + (loaded ? "" : loaded.error().message));
    require(again.resource_ids("Microsoft.Compute/galleries") == azure.resource_ids("Microsoft.Compute/galleries"),
            "galleries come back");
}

void run(std::string_view bytes) {
    Choices choices(bytes);
    const std::chrono::seconds step{choices.byte() * 10};
    bytes = choices.rest();
    SteppedClock clock;
    Options options;
    options.anonymous = true;
    Simulator azure(clock, options);
    require(azure.load_state(estate).has_value(), "the estate of this target is one");
    for (std::size_t i = 0; i < requests_max && !bytes.empty(); ++i) {
        const std::size_t end = std::min(bytes.find(boundary), bytes.size());
        const http::ServerRequest request = read_request(bytes.substr(0, end));
        bytes.remove_prefix(std::min(end + boundary.size(), bytes.size()));
        check_path(request.target);
        if (const auto answer = control(azure, request)) check_answer(*answer);
        else check_answer(azure.handle(request));
        clock.pass(step);
    }
    check_state(azure, clock);
}

const Registered registered({.name = "simulator", .run = run, .mutations = 1000});

}  // namespace
}  // namespace galleryd::fuzz
