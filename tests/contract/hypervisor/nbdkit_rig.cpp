#include <optional>

#include <fmt/format.h>

#include "hypervisor/nbd/nbd_source.hpp"
#include "tests/contract/hypervisor/block_source_rig.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/temporary_directory.hpp"

namespace penumbra::hypervisor::contract {
namespace {

class NbdkitRig final : public BlockSourceRig {
 public:
    [[nodiscard]] bool keeps_bitmaps() const override { return false; }

    Result<std::unique_ptr<BlockSource>> open(const DiskHistory& history) override {
        std::string data;
        for (const Fill& fill : history.before)
            data += fmt::format("@{} ( {} )*{} ", fill.extent.begin, fill.pattern, fill.extent.length());
        const std::string socket = directory_.path() / "nbdkit.sock";
        server_.emplace(std::vector<std::string>{"nbdkit", "-f", "-r", "-U", socket, "data", "data=" + data,
                                                 fmt::format("size={}", kDiskBytes)});
        if (!testing::listens(socket, *server_)) return fail(ErrorCode::kInternal, "nbdkit did not start");
        return nbd::NbdSources().open({.socket = socket}, {.disk = "vda", .name = "vda"});
    }

    void kill() override { server_->kill(); }

 private:
    testing::TemporaryDirectory directory_;
    std::optional<testing::ChildProcess> server_;
};

}  // namespace

std::unique_ptr<BlockSourceRig> make_block_source_rig() {
    return std::make_unique<NbdkitRig>();
}

}  // namespace penumbra::hypervisor::contract
