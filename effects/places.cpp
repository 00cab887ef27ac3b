#include "effects/places.hpp"

namespace penumbra::effects::places {

std::filesystem::path revert_program() {
    return PENUMBRA_LIBEXECDIR "/penumbra/penumbra-revert";
}

}  // namespace penumbra::effects::places
