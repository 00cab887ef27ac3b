#include "journal/directory.hpp"

namespace penumbra::journal {

Result<void> replace_file(Directory& directory, const std::string& name, std::string_view text) {
    const std::string temporary = name + std::string(kNewSuffix);
    Result<void> written = directory.write(temporary, text);
    if (written.has_value()) written = directory.sync(temporary);
    if (written.has_value()) written = directory.rename(temporary, name);
    if (!written.has_value()) {
        follow_by(written, directory.remove(temporary));
        return written;
    }
    return directory.sync_names();
}

}  // namespace penumbra::journal
