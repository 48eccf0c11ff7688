#pragma once
#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <string>

#include "controller/simulator/json.h"
#include "controller/simulator/simulator.h"
#include "tests/support/manual_clock.h"

// A simulator on a manual clock, with a group, a gallery, a definition and a managed image, and a client that asks it.
namespace galleryd::simulator {

struct Box {
    explicit Box(Options options = {}) : clock(io), azure(clock, options) {
        token = "Bearer " + azure.issue_token("tests");
        REQUIRE(azure.load_state(R"({"resources":[
          {"id":"/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/providers/Microsoft.Compute/images/golden","location":"eastus2",
           "properties":{"storageProfile":{"osDisk":{"osType":"Linux","diskSizeGB":30},"dataDisks":[{"lun":0,"diskSizeGB":10,"caching":"None"}]}}}]})"));
    }

    struct Reply {
        int status;
        Json body;
        http::ServerResponse raw;
        std::string code() const { return text_of(member(body, "error"), "code"); }
        std::string target() const { return text_of(member(body, "error"), "target"); }
        std::string message() const { return text_of(member(body, "error"), "message"); }
        std::string state() const { return text_of(member(body, "properties"), "provisioningState"); }
        std::string header(std::string_view name) const { return raw.headers.get(name); }
    };

    Reply raw(const std::string& method, const std::string& target, const std::string& body = "") {
        http::ServerRequest request;
        request.method = method;
        request.target = target;
        request.host = "azure.test";
        request.tls = true;
        request.body = body;
        if (!token.empty()) request.headers.add("Authorization", token);
        http::ServerResponse answered = azure.handle(request);
        Json parsed = answered.body.empty() ? Json() : Json::parse(answered.body, nullptr, false);
        return {.status = answered.status, .body = std::move(parsed), .raw = std::move(answered)};
    }
    Reply ask(const std::string& method, const std::string& path, const std::string& body = "",
              const std::string& version = "2024-03-03") {
        const char join = path.find('?') == std::string::npos ? '?' : '&';
        return raw(method, path + join + "api-version=" + version, body);
    }
    Reply follow(const Reply& accepted, std::string_view header = "Azure-AsyncOperation") {
        const std::string url = accepted.header(header);
        REQUIRE(url.starts_with("https://azure.test/"));
        return raw("GET", url.substr(18));
    }
    void pass(std::chrono::seconds time) {  // and sign in anew: tokens last an hour
        clock.advance(time);
        token = "Bearer " + azure.issue_token("tests");
    }

    void make_gallery(const std::string& name = "g") {
        REQUIRE(ask("PUT", galleries + name, R"({"location":"eastus2"})").status == 201);
        pass(std::chrono::seconds(1));
    }
    void make_definition(const std::string& name = "d", const std::string& sku = "s") {
        REQUIRE(ask("PUT", galleries + "g/images/" + name, definition_text(sku)).status == 201);
        pass(std::chrono::seconds(1));
    }
    void make_version(const std::string& name = "1.0.0", const std::string& regions = R"([{"name":"eastus2"}])",
                      const std::string& more = "") {
        REQUIRE(ask("PUT", version(name), version_text(regions, more)).status == 201);
        pass(std::chrono::hours(1));
    }
    static std::string definition_text(const std::string& sku = "s", const std::string& more = "") {
        return R"({"location":"eastus2","properties":{"osType":"Linux","osState":"Generalized","hyperVGeneration":"V1","identifier":{"publisher":"p","offer":"o","sku":")" +
               sku + "\"}" + more + "}}";
    }
    std::string version_text(const std::string& regions = R"([{"name":"eastus2"}])", const std::string& more = "",
                             const std::string& profile = "") const {
        return R"({"location":"eastus2","properties":{"publishingProfile":{"targetRegions":)" + regions + profile +
               R"(},"storageProfile":{"source":{"id":")" + image + "\"}}" + more + "}}";
    }
    std::string version(const std::string& name) const { return galleries + "g/images/d/versions/" + name; }

    const std::string subscription = "/subscriptions/11111111-1111-1111-1111-111111111111";
    const std::string group = subscription + "/resourceGroups/rg";
    const std::string galleries = group + "/providers/Microsoft.Compute/galleries/";
    const std::string image = group + "/providers/Microsoft.Compute/images/golden";
    boost::asio::io_context io;
    ManualClock clock;
    Simulator azure;
    std::string token;
};

struct FullBox : Box {
    explicit FullBox(Options options = {}) : Box(std::move(options)) {
        make_gallery();
        make_definition();
    }
};

}  // namespace galleryd::simulator
