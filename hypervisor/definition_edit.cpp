#include "hypervisor/definition_edit.hpp"

namespace penumbra::hypervisor {

Result<void> edit_definition(const DefinitionStore& store,
                             const std::function<Result<std::string>(std::string_view)>& change) {
    const std::string read = TRY(store.read());
    const std::string changed = TRY(change(read));
    if (TRY(store.read()) != read) {
        return fail(
            ErrorCode::kConflict,
            "somebody edited the domain's definition at this moment, and it was left as they made it: try again");
    }
    return store.write(changed);
}

}  // namespace penumbra::hypervisor
