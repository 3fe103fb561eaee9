# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced. The ways in which QEMU's edu device reaches memory.
# shellcheck disable=SC2034 # for who sources this

dma_setups='dma-plain dma-iommu dma-swiotlb dma-bounce'
# By real time, where the device takes a tenth of a second for each move, but its interrupts and workers run beside the callers.
dma_smp=dma-smp

# dma_setup NAME: sets edu_parameters of edu_dma.ko, dma_suffix of the names of tests, dma_reach (plain, iommu, swiotlb or bounce), dma_options of scripts/vm/run.
dma_setup() {
    dma_reach=${1#dma-}
    dma_options=(--icount --profile check --memory 2G --append secretmem.enable=1)
    case $1 in
    # swiotlb's pool is below 4 GiB, but not below 256 MiB; 1 MiB of it is soon full.
    dma-plain) edu_parameters=dma_bits=32 dma_suffix=', by plain addresses' dma_options+=(--device 'edu,dma_mask=0xffffffff') ;;
    dma-iommu) edu_parameters=dma_bits=28 dma_suffix=', behind an IOMMU' dma_options+=(--device edu --iommu) ;;
    dma-swiotlb) edu_parameters=dma_bits=32 dma_suffix=', through swiotlb' dma_options+=(--device 'edu,dma_mask=0xffffffff' --swiotlb force --append swiotlb=512) ;;
    dma-smp)
        edu_parameters=dma_bits=28 dma_suffix=', on two CPUs' dma_reach=iommu
        dma_options=(--memory 2G --append secretmem.enable=1 --device edu --iommu)
        ;;
    dma-bounce) edu_parameters=dma_bits=28 dma_suffix=', by memory that is out of reach' dma_options+=(--device edu) ;;
    *) die 2 "no set-up '$1'; there are: $dma_setups $dma_smp" ;;
    esac
}
