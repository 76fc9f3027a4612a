// The demo's settings of the agent library (see ota_config_defaults.h for all of them).
#ifndef AGENT_APP_CONFIG_OTA_CONFIG_H_
#define AGENT_APP_CONFIG_OTA_CONFIG_H_

// 4 KiB blocks, sixteen of them for one request: 64 KiB, half of what AWS IoT sends in answer to one.
#define otaconfigLOG2_FILE_BLOCK_SIZE 12UL
#define otaconfigMAX_NUM_BLOCKS_REQUEST 16U

// Buffers for what arrives while the agent works: a full answer, and job documents beside it.
#define otaconfigMAX_NUM_OTA_DATA_BUFFERS 20U

// The version is taken from the header of the image the bootloader verified.
#define OTA_USE_NONCONST_APPVERSION 1

#endif  // AGENT_APP_CONFIG_OTA_CONFIG_H_
