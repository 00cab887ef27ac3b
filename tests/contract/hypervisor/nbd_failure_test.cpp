#include <csignal>
#include <optional>
#include <utility>

#include <gtest/gtest.h>

#include "hypervisor/nbd/nbd_source.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/result_matchers.hpp"
#include "tests/support/temporary_directory.hpp"

namespace penumbra::hypervisor::nbd {
namespace {

using testing::fails;
using testing::is_ok;
using namespace std::chrono_literals;

constexpr std::uint64_t kBytes = 4ULL << 20U;

/// nbdkit of the test's own, which a test stops, breaks or kills.
class NbdFailure : public ::testing::Test {
 protected:
    void serve(const std::vector<std::string>& plugin) {
        std::vector<std::string> command{"nbdkit", "-f", "-r", "-U", job_.socket};
        command.insert(command.end(), plugin.begin(), plugin.end());
        server_.emplace(command);
        ASSERT_TRUE(testing::listens(job_.socket, *server_));
    }
    Result<void> read_all(BlockSource& source, const std::function<void()>& at_first_chunk = {}) {
        std::uint64_t at = 0;
        bool first = true;
        const auto next = [&at]() -> std::optional<Extent> {
            if (at == kBytes) return std::nullopt;
            at += 4096;
            return Extent{.begin = at - 4096, .end = at};
        };
        const auto sink = [&](Extent, std::span<const std::byte>) -> Result<void> {
            if (std::exchange(first, false) && at_first_chunk) at_first_chunk();
            return {};
        };
        return source.read(next, sink, {});
    }

    testing::TemporaryDirectory directory_;
    BackupJob job_{.socket = directory_.path() / "nbd.sock"};
    BackupExport disk_{.disk = "vda", .name = "vda"};
    std::optional<testing::ChildProcess> server_;
    NbdSources sources_{{.connect = 300ms, .answer = 300ms, .read_stall = 300ms}};
};

TEST_F(NbdFailure, NoServerIsUnavailableAndNamed) {
    EXPECT_TRUE(fails(sources_.open(job_, disk_), ErrorCode::kUnavailable, "nbd.sock"));
}

TEST_F(NbdFailure, AContextThatIsNotOfferedIsNeverTakenForNothingChanged) {
    ASSERT_NO_FATAL_FAILURE(serve({"memory", "4M"}));
    disk_.bitmap = "backup-vda";
    const auto source = sources_.open(job_, disk_);
    ASSERT_TRUE(is_ok(source));
    EXPECT_TRUE(fails((*source)->dirty(), ErrorCode::kUnsupported, "qemu:dirty-bitmap:backup-vda"));
}

TEST_F(NbdFailure, AStoppedServerIsNotWaitedForWhenConnecting) {
    ASSERT_NO_FATAL_FAILURE(serve({"memory", "4M"}));
    server_->signal(SIGSTOP);
    EXPECT_TRUE(fails(sources_.open(job_, disk_), ErrorCode::kDeadlineExceeded, "stopped"));
}

TEST_F(NbdFailure, AStoppedServerIsNotWaitedForWhenAskingOrReading) {
    ASSERT_NO_FATAL_FAILURE(serve({"memory", "4M"}));
    const auto source = sources_.open(job_, disk_);
    ASSERT_TRUE(is_ok(source));
    const auto stop_it = [&] { server_->signal(SIGSTOP); };
    EXPECT_TRUE(fails(read_all(**source, stop_it), ErrorCode::kDeadlineExceeded, "no data for 300 ms"));
    EXPECT_TRUE(fails((*source)->zeroes(ExtentSet({{.begin = 0, .end = kBytes}})), ErrorCode::kDeadlineExceeded));
}

TEST_F(NbdFailure, AnAnswerThatNeverComesIsNotWaitedFor) {
    ASSERT_NO_FATAL_FAILURE(serve({"--filter=delay", "memory", "4M", "delay-extents=60"}));
    const auto source = sources_.open(job_, disk_);
    ASSERT_TRUE(is_ok(source));
    EXPECT_TRUE(fails((*source)->zeroes(ExtentSet({{.begin = 0, .end = kBytes}})), ErrorCode::kDeadlineExceeded,
                      "base:allocation"));
}

TEST_F(NbdFailure, AReadErrorNamesTheByte) {
    ASSERT_NO_FATAL_FAILURE(serve({"--filter=error", "memory", "4M", "error-pread=EIO", "error-pread-rate=100%"}));
    const auto source = sources_.open(job_, disk_);
    ASSERT_TRUE(is_ok(source));
    EXPECT_TRUE(fails(read_all(**source), ErrorCode::kUnavailable, "Input/output error"));
}

TEST_F(NbdFailure, AnErrorForExtentsIsNotTakenForNoZeroes) {
    ASSERT_NO_FATAL_FAILURE(serve({"--filter=error", "memory", "4M", "error-extents=EIO", "error-extents-rate=100%"}));
    const auto source = sources_.open(job_, disk_);
    ASSERT_TRUE(is_ok(source));
    EXPECT_TRUE(fails((*source)->zeroes(ExtentSet({{.begin = 0, .end = kBytes}})), ErrorCode::kUnavailable,
                      "Input/output error"));
}

}  // namespace
}  // namespace penumbra::hypervisor::nbd
