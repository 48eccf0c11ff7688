#include <doctest/doctest.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <iterator>
#include <spanstream>

#include "controller/adapters/azure/decode.h"
#include "controller/adapters/azure/error_table.h"
#include "controller/adapters/azure/graph_rows.h"
#include "controller/adapters/documents/reader.h"
#include "controller/adapters/documents/text.h"
#include "controller/adapters/journal/record_text.h"
#include "controller/adapters/telemetry/log.h"
#include "controller/program/config_file.h"
#include "controller/program/prices.h"
#include "controller/program/saved_plan.h"
#include "controller/simulator/graph_kql.h"
#include "tests/fuzz/corpus.h"
#include "tests/fuzz/hostile_shapes.h"
#include "tests/fuzz/memory_peak.h"
#include "tests/fuzz/target.h"

// R11 of the reliability design: any single input of at most 1 MiB costs at most 64 MiB of memory, at most 100 ms of
// CPU, and gives one clear error. yaml-cpp needs 50 to 230 ms for a mebibyte on the machine where this was written, so
// a YAML input may also take twice what yaml-cpp alone takes for it. Asked for by
// `make fuzz` (--no-skip): a busy machine must not fail `make test`.

using namespace galleryd;
using namespace galleryd::fuzz;

namespace {

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr std::size_t input_bytes_max = 64 * 1024;  // everything is twenty times slower
#else
constexpr std::size_t input_bytes_max = 1024 * 1024;
#endif
constexpr std::size_t extra_bytes_max = 64UL * 1024 * 1024;
constexpr double cpu_seconds_max = 0.1, library_share_max = 2;

struct Reader {
    std::string_view name;
    void (*read)(const std::string& input);
    std::string_view corpus;  // whose seeds are blown up to a mebibyte, beside the shapes
    std::vector<ShapeKind> kinds;
    bool is_yaml = false;
};

constexpr auto text = ShapeKind::text, yaml = ShapeKind::yaml, manifest = ShapeKind::manifest, json = ShapeKind::json;

const Reader readers[] = {
    {"documents",
     [](const std::string& input) { (void)read_documents({{.file = "fuzz.yaml", .content = input}}, {}); },
     "documents",
     {text, yaml, manifest},
     true},
    {"JSON documents",
     [](const std::string& input) { (void)read_documents({{.file = "fuzz.json", .content = input}}, {}); },
     "json",
     {json}},
    {"gallery page", [](const std::string& input) { (void)azure::decode_gallery_page(input, {}); }, "arm", {json}},
    {"version", [](const std::string& input) { (void)azure::decode_version(input, {}); }, "arm", {json}},
    {"version page", [](const std::string& input) { (void)azure::decode_version_page(input, {}); }, "arm", {json}},
    {"error",
     [](const std::string& input) {
         const http::Response answer{.status = 409, .headers = {}, .body = input};
         require_clear(azure::error_from_answer({.what = "delete the version"}, answer, TimePoint{}));
     },
     "retry_after",
     {json}},
    {"graph page", [](const std::string& input) { (void)azure::scan_graph_page(input); }, "graph", {json}},
    {"plan file", [](const std::string& input) { (void)parse_saved_plan(input, "plan.json"); }, "saved_plan", {json}},
    {"journal record",
     [](const std::string& input) { (void)journal::parse_resource_record(input); },
     "journal_record",
     {json}},
    {"prices", [](const std::string& input) { (void)parse_prices(input, "prices.yaml"); }, "prices", {yaml}, true},
    {"config", [](const std::string& input) { (void)read_config(input, "galleryd.yaml"); }, "config", {yaml}, true},
    {"redaction", [](const std::string& input) { (void)telemetry::redact(input); }, "telemetry", {text}},
    {"query", [](const std::string& input) { (void)simulator::kql::parse_query(input); }, "kql", {text}},
};

// What yaml-cpp alone needs: its events, of which nothing is made.
class Deaf final : public YAML::EventHandler {
  public:
    void OnDocumentStart(const YAML::Mark&) override {}
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
    void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
    void OnScalar(const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
    void OnSequenceStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
    void OnSequenceEnd() override {}
    void OnMapStart(const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {}
    void OnMapEnd() override {}
};

// CPU seconds of a call. Other work on the machine only ever adds to them, so one that seems too slow is asked again.
template <class Call>
double seconds_of(const Call& call, double enough) {
    double least = 1e9;
    for (int tries = 0; tries < 6 && least > enough; ++tries) {
        const double before = cpu_seconds();
        call();
        least = std::min(least, cpu_seconds() - before);
    }
    return least;
}

void read_by_yaml_cpp(const std::string& input) {
    for (const documents::Piece& piece : documents::cut_documents(input)) {
        try {
            std::ispanstream stream(std::span<const char>(piece.text.data(), piece.text.size()));
            YAML::Parser parser(stream);
            Deaf deaf;
            parser.HandleNextDocument(deaf);
        } catch (const std::exception&) {  // no YAML: what it took to find that out
        }
    }
}

// A seed again and again up to a mebibyte: what is linear stays quick, what is not shows.
std::vector<Shape> blown_up(std::string_view corpus) {
    std::vector<Shape> shapes;
    for (const CorpusFile& file : read_corpus(corpus)) {
        if (file.content.empty()) continue;
        Shape shape{.name = std::string(corpus) + "/" + file.name + " repeated", .text = {}};
        while (shape.text.size() + file.content.size() <= input_bytes_max) shape.text += file.content;
        shapes.push_back(std::move(shape));
    }
    return shapes;
}

std::vector<Shape> shapes_for(const Reader& reader) {
    std::vector<Shape> shapes;
    for (const ShapeKind kind : reader.kinds)
        std::ranges::move(hostile_shapes(kind, input_bytes_max), std::back_inserter(shapes));
    std::ranges::move(blown_up(reader.corpus), std::back_inserter(shapes));
    return shapes;
}

}  // namespace

TEST_CASE("no single input of a mebibyte takes more than 64 MiB of memory" * doctest::skip()) {
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    MESSAGE("under sanitizers memory is another matter");
#else
    std::size_t measured = 0;
    for (const Reader& reader : readers) {
        for (const Shape& shape : shapes_for(reader)) {
            CAPTURE(std::string(reader.name));
            CAPTURE(shape.name);
            REQUIRE(shape.text.size() <= input_bytes_max);
            const MemoryPeak peak;
            reader.read(shape.text);
            const auto bytes = peak.bytes();
            if (!bytes) continue;
            CHECK(*bytes <= extra_bytes_max);
            ++measured;
        }
    }
    if (measured == 0) MESSAGE("this system keeps no peak of memory that can be reset");
#endif
}

TEST_CASE("what is wrong with an input of a mebibyte is told in short messages, in no more than there are documents" *
          doctest::skip()) {
    for (const Shape& shape : shapes_for(readers[0])) {
        CAPTURE(shape.name);
        const ReadResult result = read_documents({{.file = "fuzz.yaml", .content = shape.text}}, {});
        std::size_t problems = 0, bytes = 0;
        for (const DocumentRecord& record : result.documents) {
            for (const Diagnostic& problem : record.problems) {
                CHECK(problem.message.size() <= message_bytes_max);
                ++problems;
                bytes += problem.message.size() + problem.remedy.size() + problem.field.size();
            }
        }
        // Each document that is wrong says so itself; what else is wrong with it is bounded.
        CHECK(problems <= result.documents.size() + 2'000);
        CHECK(result.documents.size() <= 12'000);
        CHECK(bytes <= 4UL * 1024 * 1024);
    }
}

// FUZZ_CPU=1 prints every figure.
TEST_CASE("no single input of a mebibyte takes more than 100 ms of CPU" * doctest::skip()) {
    const bool tells_all = std::getenv("FUZZ_CPU") != nullptr;
    double worst = 0;
    for (const Reader& reader : readers) {
        double slowest = 0;
        std::string name;
        for (const Shape& shape : shapes_for(reader)) {
            CAPTURE(std::string(reader.name));
            CAPTURE(shape.name);
            const double seconds = seconds_of([&] { reader.read(shape.text); }, cpu_seconds_max);
            double bound = cpu_seconds_max;
            if (seconds > bound && reader.is_yaml)
                bound = std::max(bound, library_share_max * seconds_of([&] { read_by_yaml_cpp(shape.text); }, 0));
            CHECK(seconds <= bound);
            if (tells_all) std::cout << reader.name << ", " << shape.name << ": " << seconds * 1000 << " ms\n";
            if (seconds < slowest) continue;
            slowest = seconds;
            name = shape.name;
        }
        worst = std::max(worst, slowest);
        std::cout << "R11 " << reader.name << ": at most " << slowest * 1000 << " ms (" << name << ")\n";
    }
    CHECK(worst > 0);
}
