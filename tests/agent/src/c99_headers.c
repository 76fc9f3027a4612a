/* Every public header in a C99 program, and every kind of thing they declare put to use. */
#include "ota.h"
#include "ota_appversion32.h"
#include "ota_config_defaults.h"
#include "ota_http_interface.h"
#include "ota_mqtt_interface.h"
#include "ota_os_interface.h"
#include "ota_platform_interface.h"

#include <string.h>

typedef char AppVersionIsPacked[ sizeof( AppVersion32_t ) == 4 ? 1 : -1 ];
typedef char EventDataHoldsABlock[ sizeof( ( ( OtaEventData_t * ) 0 )->data ) == 4096 + 1500 + 30 ? 1 : -1 ];

static OtaOsStatus_t delete_timer( OtaTimerId_t timer )
{
    return timer < OtaNumOfTimers ? OtaOsSuccess : OtaOsTimerDeleteFailed;
}

int c99_uses_the_api( void );

int c99_uses_the_api( void )
{
    OtaInterfaces_t interfaces;
    AppVersion32_t version;
    OtaPalStatus_t status = OTA_PAL_COMBINE_ERR( OtaPalSignatureCheckFailed, 0x123456 );

    memset( &interfaces, 0, sizeof interfaces );
    interfaces.os.timer.delete = delete_timer;
    version.u.x.major = 1;
    version.u.x.minor = 2;
    version.u.x.build = 0x0304;
    if( version.u.unsignedVersion32 != 0x01020304U ) { return 1; }
    if( OTA_PAL_MAIN_ERR( status ) != OtaPalSignatureCheckFailed ) { return 2; }
    if( OTA_PAL_SUB_ERR( status ) != 0x123456U ) { return 3; }
    if( interfaces.os.timer.delete( OtaRequestTimer ) != OtaOsSuccess ) { return 4; }
    if( OTA_GetState() != OtaAgentStateStopped ) { return 5; }
    if( OTA_JsonFileSignatureKey[ 0 ] != 's' ) { return 6; }
    return 0;
}
