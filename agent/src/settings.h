// What AWS's library fixes at compile time, and a device may learn from its provisioning data.
#pragma once

#include <cstdint>

#include "agent/include/ota_types.h"

namespace ota {

/// The defaults are the otaconfig* macros. Set before Agent::init().
struct Settings {
  std::uint32_t request_wait_ms = otaconfigFILE_REQUEST_WAIT_MS;
  std::uint32_t self_test_wait_ms = otaconfigSELF_TEST_RESPONSE_WAIT_MS;
  std::uint32_t max_request_momentum = otaconfigMAX_NUM_REQUEST_MOMENTUM;
  std::uint32_t status_frequency = otaconfigOTA_UPDATE_STATUS_FREQUENCY;
  std::uint32_t block_size = OTA_FILE_BLOCK_SIZE;  ///< a power of two, 256..OTA_FILE_BLOCK_SIZE
  std::uint32_t blocks_per_request = otaconfigMAX_NUM_BLOCKS_REQUEST;             ///< at most 128 KiB of them
  std::uint32_t blocks_per_http_request = configOTA_MAX_BLOCKS_PER_HTTP_REQUEST;  ///< of one range
  std::uint32_t blocks_in_flight = configOTA_MAX_BLOCKS_IN_FLIGHT;  ///< of all requests together
  std::uint32_t data_protocols = configENABLED_DATA_PROTOCOLS;  ///< OTA_DATA_OVER_MQTT | OTA_DATA_OVER_HTTP
  std::uint32_t primary_data_protocol = configOTA_PRIMARY_DATA_PROTOCOL;  ///< for a job that offers both
  std::uint32_t stream_format = configOTA_STREAM_FORMAT;  ///< OTA_STREAM_CBOR, OTA_STREAM_JSON
  bool use_start_next = configOTA_USE_START_NEXT != 0;
  bool allow_downgrade = otaconfigAllowDowngrade != 0;
};

}  // namespace ota
