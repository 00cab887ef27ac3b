#include "coordinator/store/sqlite_store.hpp"
#include "tests/contract/store/rig.hpp"
#include "tests/support/temporary_directory.hpp"

namespace penumbra::coordinator::contract {
namespace {

class SqliteRig final : public Rig {
 public:
    std::unique_ptr<Store> store() override {
        return std::make_unique<SqliteStore>(
            SqliteStore::Options{.file = directory_.path() / "store.db", .bytes_max = bytes_max_});
    }
    // SQLite takes what the file has already as the least bound: not a page more.
    void fill_disk() override { bytes_max_ = 4096; }
    void clear_disk() override { bytes_max_ = limits::kStoreBytesMax; }

 private:
    testing::TemporaryDirectory directory_;
    std::uint64_t bytes_max_ = limits::kStoreBytesMax;
};

}  // namespace

std::unique_ptr<Rig> make_rig() {
    return std::make_unique<SqliteRig>();
}

}  // namespace penumbra::coordinator::contract
