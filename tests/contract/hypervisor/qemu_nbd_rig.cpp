#include <optional>

#include <fmt/format.h>

#include "hypervisor/nbd/nbd_source.hpp"
#include "tests/contract/hypervisor/block_source_rig.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/temporary_directory.hpp"

namespace penumbra::hypervisor::contract {
namespace {

class QemuNbdRig final : public BlockSourceRig {
 public:
    [[nodiscard]] bool keeps_bitmaps() const override { return true; }

    Result<std::unique_ptr<BlockSource>> open(const DiskHistory& history) override {
        ASSERT(testing::run_tool({"qemu-img", "create", "-q", "-f", "qcow2", image_, std::to_string(kDiskBytes)}) == 0);
        apply(history.before);
        std::vector<std::string> command{"qemu-nbd", "-r", "-t", "-e", "16", "-x", "vda", "-k", socket_, "-f", "qcow2"};
        if (history.checkpoint) {
            ASSERT(testing::run_tool({"qemu-img", "bitmap", "--add", image_, "cp0"}) == 0);
            apply(history.after);
            command.insert(command.end(), {"-B", "cp0"});
        }
        command.push_back(image_);
        server_.emplace(command);
        if (!testing::listens(socket_, *server_)) return fail(ErrorCode::kInternal, "qemu-nbd did not start");
        return nbd::NbdSources().open({.socket = socket_},
                                      {.disk = "vda", .name = "vda", .bitmap = history.checkpoint ? "cp0" : ""});
    }

    void kill() override { server_->kill(); }

 private:
    void apply(const std::vector<Fill>& fills) const {
        if (fills.empty()) return;
        std::vector<std::string> command{"qemu-io", "-f", "qcow2", "-d", "unmap"};
        for (const Fill& fill : fills) {
            const std::string what = fill.pattern == 0 ? "write -q -z -u" : fmt::format("write -q -P {}", fill.pattern);
            command.insert(command.end(),
                           {"-c", fmt::format("{} {} {}", what, fill.extent.begin, fill.extent.length())});
        }
        command.push_back(image_);
        ASSERT(testing::run_tool(command) == 0);
    }

    testing::TemporaryDirectory directory_;
    std::string image_ = directory_.path() / "disk.qcow2";
    std::string socket_ = directory_.path() / "qemu-nbd.sock";
    std::optional<testing::ChildProcess> server_;
};

}  // namespace

std::unique_ptr<BlockSourceRig> make_block_source_rig() {
    return std::make_unique<QemuNbdRig>();
}

}  // namespace penumbra::hypervisor::contract
