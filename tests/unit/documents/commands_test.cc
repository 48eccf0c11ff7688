#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "controller/program/command_crds.h"
#include "controller/program/command_explain.h"
#include "controller/program/command_render.h"
#include "controller/program/command_validate.h"
#include "controller/program/read_paths.h"
#include "tests/unit/documents/samples.h"

using namespace galleryd;
using namespace galleryd::test;
namespace fs = std::filesystem;

namespace {

class Folder {
  public:
    Folder() {
        std::string name = (fs::temp_directory_path() / "galleryd-test-XXXXXX").string();
        path_ = mkdtemp(name.data());
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    ~Folder() { fs::remove_all(path_); }
    std::string operator/(const std::string& name) const { return path_ + "/" + name; }
    const std::string& path() const { return path_; }
    void write(const std::string& name, const std::string& text) const {
        fs::create_directories(fs::path(*this / name).parent_path());
        std::ofstream(*this / name) << text;
    }

  private:
    std::string path_;
};

struct Output {
    int code;
    std::string out, err;
};
template <class Run, class Options>
Output output_of(Run run, const Options& options) {
    std::ostringstream out, err;
    const int code = run(options, out, err);
    return {code, out.str(), err.str()};
}

std::string names(const std::vector<DocumentFile>& files, const std::string& root) {
    std::string text;
    for (const DocumentFile& file : files) text += file.file.substr(root.size()) + " ";
    return text;
}

}  // namespace

TEST_CASE("folders are read recursively, sorted, without hidden and other files") {
    const Folder folder;
    for (const char* name :
         {"b.yaml", "a.yml", "sub/deep/c.json", ".hidden.yaml", ".git/d.yaml", "readme.md", "sub/e.yaml.bak"})
        folder.write(name, "x");
    const auto files = read_paths({folder.path() + "/"});
    REQUIRE(files.has_value());
    CHECK(names(*files, folder.path()) == "/a.yml /b.yaml /sub/deep/c.json ");
}

TEST_CASE("nothing outside the folder is read: links, pipes, missing paths") {
    const Folder folder, outside;
    outside.write("secret.yaml", "secret");
    folder.write("a.yaml", "inside");
    CHECK(read_paths({folder / "missing"}).error().code == "GD1090");
    fs::create_symlink("a.yaml", folder / "link.yaml");
    CHECK(read_paths({folder.path()})->size() == 2);
    fs::create_directory_symlink(outside.path(), folder / "linked");  // not entered
    CHECK(read_paths({folder.path()})->size() == 2);
    for (const std::string& target :
         {outside / "secret.yaml", "../" + fs::path(outside.path()).filename().string() + "/secret.yaml",
          std::string("/dev/zero")}) {
        fs::create_symlink(target, folder / "z.yaml");
        CAPTURE(target);
        CHECK(read_paths({folder.path()}).error().code == "GD1091");
        fs::remove(folder / "z.yaml");
    }
    REQUIRE(mkfifo((folder / "pipe.yaml").c_str(), 0600) == 0);
    CHECK(read_paths({folder.path()}).error().code == "GD1091");
    CHECK(read_paths({folder / "pipe.yaml"}).error().code == "GD1091");
    CHECK(read_paths({outside / "secret.yaml"})->front().content == "secret");
    fs::remove(outside / "secret.yaml");
    CHECK(read_paths({outside.path()}).error().code == "GD1094");
    CHECK(read_paths({}).error().code == "GD1094");
}

TEST_CASE("paths that cannot be read or are too many are errors, not gaps") {
    const Folder folder;
    fs::path deep = folder.path();
    for (int i = 0; i < 34; ++i) deep /= "d";
    fs::create_directories(deep);
    CHECK(read_paths({folder.path()}).error().code == "GD1092");
    const Folder locked;
    locked.write("a.yaml", "x");
    fs::permissions(locked / "a.yaml", fs::perms::none);
    if (geteuid() != 0) CHECK(read_paths({locked.path()}).error().code == "GD1093");
    CHECK(read_paths({folder.path() + "/" + std::string(300, 'x')}).error().code == "GD1093");  // name too long
}

TEST_CASE("a file larger than 1 MiB is read just far enough to be refused") {
    const Folder folder;
    folder.write("big.yaml", std::string(3 * 1024 * 1024, '#'));
    CHECK(read_paths({folder.path()})->front().content.size() == 1024 * 1024 + 1);
    CHECK(output_of(run_validate, ValidateOptions{.paths = {folder.path()}}).out.contains("GD1006"));
}

TEST_CASE("validate prints one line a problem and exits 0, 1 or 64") {
    const Folder folder;
    folder.write("versions.yaml", estate() + version_document("v", "1.0.0", "  replicas: 0\n"));
    const Output bad = output_of(run_validate, ValidateOptions{.paths = {folder.path()}});
    CHECK(bad.code == 1);
    CHECK(bad.out == folder /
                         "versions.yaml:18:13: error GD1012: spec.replicas: 0 is below the minimum 1. Write a number "
                         "from 1 to 100.\n");
    CHECK(bad.err.starts_with("3 documents, 1 invalid."));
    folder.write("versions.yaml", estate() + version_document("v", "1.0.0", ""));
    const Output good = output_of(run_validate, ValidateOptions{.paths = {folder.path()}});
    CHECK(good.code == 0);
    CHECK(good.out.empty());
    CHECK(good.err == "3 documents, all valid.\n");
    CHECK(output_of(run_validate, ValidateOptions{}).code == 64);
    CHECK(output_of(run_validate, ValidateOptions{.paths = {"x"}, .output = "xml"}).code == 64);
    const Output missing = output_of(run_validate, ValidateOptions{.paths = {folder / "none"}});
    CHECK(missing.code == 1);
    CHECK(missing.err.contains("GD1090"));
}

TEST_CASE("validate prints a hundred lines of a code, counts them all, and tells them all as JSON") {
    const Folder folder;
    for (int i = 0; i < 130; ++i) {
        folder.write("g" + std::to_string(1000 + i) + ".yaml",
                     "apiVersion: galleryd.io/v1alpha1\nkind: Gallery\nmetadata: {name: g" + std::to_string(i) + "}\n");
    }
    folder.write("z.yaml", "- a\n");
    const Output text = output_of(run_validate, ValidateOptions{.paths = {folder.path()}});
    CHECK(text.code == 1);
    CHECK(std::ranges::count(text.out, '\n') == 102);
    CHECK(text.out.contains("… and 30 more like GD1011; `galleryd validate -o json` has them all.\n"));
    CHECK(text.out.contains("GD1009"));  // another code is not lost behind the many
    CHECK(text.err.contains("131 documents, 131 invalid"));
    const Output json = output_of(run_validate, ValidateOptions{.paths = {folder.path()}, .output = "json"});
    CHECK(nlohmann::json::parse(json.out)["diagnostics"].size() == 131);
}

TEST_CASE("validate -o json is a stable document") {
    const Folder folder;
    folder.write("v.yaml", estate() + version_document("v", "1.0.0", "  replicas: 0\n"));
    const auto json =
        nlohmann::json::parse(output_of(run_validate, ValidateOptions{.paths = {folder.path()}, .output = "json"}).out);
    CHECK(json.at("format_version") == "1.0");
    CHECK(json.at("kind") == "Validation");
    CHECK(json.at("valid") == false);
    CHECK(json.at("documents") == 3);
    REQUIRE(json.at("diagnostics").size() == 1);
    const auto expected = nlohmann::json{{"code", "GD1012"},
                                         {"severity", "error"},
                                         {"file", folder / "v.yaml"},
                                         {"line", 18},
                                         {"column", 13},
                                         {"field", "/spec/replicas"},
                                         {"message", "0 is below the minimum 1"},
                                         {"remedy", "Write a number from 1 to 100."}};
    CHECK(json.at("diagnostics")[0] == expected);
    const auto missing = nlohmann::json::parse(
        output_of(run_validate, ValidateOptions{.paths = {folder / "none"}, .output = "json"}).out);
    CHECK(missing.at("valid") == false);
    CHECK(missing.at("diagnostics")[0].at("code") == "GD1090");
}

TEST_CASE("render prints the manifests after defaults and tiers, and they read the same") {
    const Folder folder;
    folder.write("a.yaml", example("valid/regions_by_policy.yaml"));
    const Output rendered = output_of(run_render, RenderOptions{.paths = {folder.path()}});
    CHECK(rendered.code == 0);
    CHECK(rendered.out.contains(
        "  targetRegions:\n    - name: canadacentral\n      replicas: 4\n      storageAccountType: Standard_LRS\n"));
    CHECK(rendered.out.contains("  deletionPolicy: Orphan\n"));
    folder.write("a.yaml", rendered.out);
    CHECK(output_of(run_render, RenderOptions{.paths = {folder.path()}}).out == rendered.out);
    folder.write("a.yaml", "apiVersion: galleryd.io/v1alpha1\n");
    const Output invalid = output_of(run_render, RenderOptions{.paths = {folder.path()}});
    CHECK(invalid.code == 1);
    CHECK(invalid.out.empty());
    CHECK(invalid.err.contains("GD1022"));
    CHECK(output_of(run_render, RenderOptions{}).code == 64);
}

TEST_CASE("crds prints and writes what the binary validates with") {
    const Output printed = output_of(run_crds, CrdsOptions{});
    CHECK(printed.code == 0);
    for (const char* plural : {"galleries", "imagedefinitions", "imageversions", "lifecyclepolicies"})
        CHECK(printed.out.contains("name: " + std::string(plural) + ".galleryd.io"));
    const Folder folder;
    CHECK(output_of(run_crds, CrdsOptions{.directory = folder / "crds"}).code == 0);
    std::ifstream written(folder / "crds/galleries.yaml");
    std::ostringstream text;
    text << written.rdbuf();
    CHECK(text.str() == file_text("crds/galleries.yaml"));
    folder.write("file", "");
    CHECK(output_of(run_crds, CrdsOptions{.directory = folder / "file"}).code == 1);
}

TEST_CASE("explain knows codes and fields, and suggests the nearest") {
    const Output code = output_of(run_explain, ExplainOptions{"gd1012"});
    CHECK(code.code == 0);
    CHECK(code.out.starts_with("GD1012: A number is out of range\n"));
    const Output field = output_of(run_explain, ExplainOptions{"ImageVersion.spec.targetregions"});
    CHECK(field.code == 0);
    CHECK(field.out.contains("FIELD: imageversion.spec.targetRegions <[]Object>"));
    CHECK(field.out.contains("name <string> -required-"));
    CHECK(field.out.contains("RULES:"));
    CHECK(output_of(run_explain, ExplainOptions{"imgver.spec.targetRegions.replicas"}).out.contains("maximum: 100"));
    CHECK(output_of(run_explain, ExplainOptions{"gal.spec.location"}).out.contains("-required-"));
    CHECK(output_of(run_explain, ExplainOptions{"lifecyclepolicies"}).out.contains("spec <Object> -required-"));
    const Output typo = output_of(run_explain, ExplainOptions{"imageversion.spec.targetRegion"});
    CHECK(typo.code == 64);
    CHECK(typo.err.contains("Did you mean imageversion.spec.targetRegions? (GD1095)") == false);
    CHECK(typo.err.contains("Did you mean imageversion.spec.targetRegions?"));
    CHECK(typo.err.contains("GD1095"));
    CHECK(output_of(run_explain, ExplainOptions{"galery"}).err.contains("Did you mean gallery?"));
    CHECK(output_of(run_explain, ExplainOptions{"GD1999"}).code == 64);
    CHECK(output_of(run_explain, ExplainOptions{""}).code == 64);
}
