#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "controller/adapters/azure/credential_file.h"
#include "controller/adapters/process/child.h"
#include "tests/unit/azure/scripted_transport.h"

// What credentials need around them: a manual clock, a scripted transport, files in memory, a program that is played.
namespace galleryd::azure::test {

inline std::string token_answer(const std::string& token, int life) {
    return R"({"token_type":"Bearer","expires_in":)" + std::to_string(life) + R"(,"access_token":")" + token + R"("})";
}

inline std::string refusal(int number, const std::string& words = "words with a canary") {
    return R"({"error":"invalid_client","error_description":"AADSTS)" + std::to_string(number) + ": " + words +
           R"(\r\nTrace ID: 1","error_codes":[)" + std::to_string(number) + "]}";
}

struct SignInBench {
    boost::asio::io_context io;
    ManualClock clock{io};
    ScriptedTransport transport{clock};
    RecordingMetrics metrics;
    RecordingLog log;
    std::map<std::string, std::string> files;
    std::vector<FileToRead> files_read;

    ReadFile reader() {
        return [this](const FileToRead& file) -> Result<Secret> {
            files_read.push_back(file);
            const auto found = files.find(file.path);
            if (found == files.end()) return fail(ErrorKind::denied, "NoFile", file.path + ": No such file");
            if (found->second.size() > file.bytes_max) return fail(ErrorKind::denied, "NoFile", file.path + ": long");
            return Secret(found->second);
        };
    }
    Result<std::string> token(TokenProvider& provider) { return run_task(io, clock, provider.token()); }
    std::string sent_body(std::size_t index) const { return transport.sent.at(index).request.body; }
};

// Remembers what was to be run, and answers from a list.
class PlayedRunner : public process::Runner {
  public:
    Task<process::Ended> run(process::Command command) override {
        commands.push_back(std::move(command));
        if (answers.empty()) co_return fail(ErrorKind::bug, "ScriptEnded", "the test has no answer for the program");
        auto answer = std::move(answers.front());
        answers.erase(answers.begin());
        co_return answer;
    }
    void prints(std::string output) {
        answers.emplace_back(process::Ended{.exit_code = 0, .output = std::move(output)});
    }
    void fails(int code, std::string errors) {
        answers.emplace_back(process::Ended{.exit_code = code, .output = {}, .errors = std::move(errors)});
    }
    std::vector<process::Command> commands;
    std::vector<Result<process::Ended>> answers;
};

// A whole token with these claims; the signature is as long as RS256 makes it and means nothing.
std::string jwt(const std::string& claims);

// A self-signed RSA certificate made for one test.
struct TestCertificate {
    std::string certificate_pem, key_pem, encrypted_key_pem, pfx;  // the last two with the password "open sesame"
};
struct CertificateTimes {
    TimePoint from, until;
};
TestCertificate make_test_certificate(CertificateTimes times, bool elliptic = false);
// Whether the signature of a PS256 token fits the certificate.
bool is_signed_by(const std::string& token, const std::string& certificate_pem);

}  // namespace galleryd::azure::test
