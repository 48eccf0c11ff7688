#include "controller/program/azure_errors_text.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>

#include "controller/adapters/azure/error_rows.h"
#include "controller/adapters/azure/sign_in_table.h"
#include "controller/core/error_catalogue.h"
#include "controller/core/resource_id.h"
#include "controller/program/command_explain.h"

using namespace galleryd;

namespace {

struct Explained {
    int status;
    std::string out, err;
};
Explained explain(const std::string& topic) {
    std::ostringstream out;
    std::ostringstream err;
    const int status = run_explain({.topic = topic}, out, err);
    return {status, out.str(), err.str()};
}

}  // namespace

TEST_CASE("explain knows every code of Azure's that the table knows, and where it leads") {
    int codes = 0;
    for (const azure::ErrorRow& row : azure::error_rows()) {
        CAPTURE(row.code);
        CHECK(explain(std::string(row.catalogue)).status == 0);
        if (row.code.empty()) continue;
        ++codes;
        for (const std::string& topic : {std::string(row.code), fold_case(row.code)}) {
            const Explained said = explain(topic);
            CHECK(said.status == 0);
            CHECK(said.err.empty());
            CHECK(said.out.starts_with(std::string(row.code) + ": an error code of Azure\n"));
            CHECK(said.out.contains("\n" + std::string(row.catalogue) + ": "));
            CHECK(said.out.contains("origin: " + std::string(row.origin)));
            CHECK(said.out.contains("What to do"));
        }
    }
    CHECK(codes > 80);
    // One code that means three things shows all of them.
    const std::string three = explain("OperationNotAllowed").out;
    for (const char* part : {"HTTP 429", "marked for deletion", "quota", "GD3030: ", "GD3052: ", "GD3031: "})
        CHECK(three.contains(part));
}

TEST_CASE("explain knows the numbers of the sign-in service") {
    for (const azure::SignInRow& row : azure::sign_in_rows()) {
        CAPTURE(row.number);
        for (const std::string& topic : {"AADSTS" + std::to_string(row.number), std::to_string(row.number)}) {
            const Explained said = explain(topic);
            CHECK(said.status == 0);
            CHECK(said.out.contains(row.message));
            CHECK(said.out.contains(std::string(row.catalogue) + ": "));
        }
    }
    const Explained unlisted = explain("AADSTS4711");
    CHECK(unlisted.status == 0);
    CHECK(unlisted.out.contains("GD3010: "));
    CHECK(explain("4711").status == 64);
}

TEST_CASE("a code of Azure's without a row is explained by what its status does") {
    const Explained said = explain("SkuNotAvailable");
    CHECK(said.status == 0);
    CHECK(said.out.starts_with("SkuNotAvailable: galleryd has no row"));
    CHECK(said.out.contains("  HTTP 400: waits for another declaration; Stalled\n    reason InvalidSpec, GD3060"));
    CHECK(said.out.contains("  HTTP 409: looked at again soon"));
    CHECK_FALSE(said.out.contains("message with"));
    CHECK(said.out.contains("  any other from 500 on: tried again by itself"));
    for (const char* no_code : {"galery", "Sku.NotAvailable", "SKU-1", "gallery", "ImageVersion", "lifecyclepolicy"}) {
        CAPTURE(no_code);
        CHECK_FALSE(explain(no_code).out.contains("HTTP 409"));
    }
}

TEST_CASE("a misspelt code of Azure's is corrected, a field is still a field") {
    const Explained said = explain("PropertyChangeNotAlowed");
    CHECK(said.status == 64);
    CHECK(said.err.contains("Did you mean PropertyChangeNotAllowed?"));
    CHECK(explain("gallery.spec.location").status == 0);
    CHECK(explain("GD3050").out.starts_with("GD3050: "));
    CHECK(explain("GD9999").status == 64);
}

TEST_CASE("the reference of Azure's errors has a row for each, with its origin, and links that lead somewhere") {
    const std::string text = azure_errors_markdown();
    const auto rows = static_cast<std::size_t>(std::ranges::count(text, '\n'));
    CHECK(rows > azure::error_rows().size() + azure::sign_in_rows().size());
    for (const azure::ErrorRow& row : azure::error_rows()) {
        if (!row.code.empty()) CHECK(text.contains("| `" + std::string(row.code) + "` |"));
    }
    CHECK(text.contains("(errors.md#gd3050-azure-does-not-let-this-field-change)"));
    CHECK_FALSE(text.contains("(errors.md#gd3050)"));
}
