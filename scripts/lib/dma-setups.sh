# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# Sourced. The ways in which QEMU's edu device reaches memory.
# shellcheck disable=SC2034 # for who sources this

dma_setups='dma-plain dma-iommu dma-swiotlb dma-bounce'

# dma_setup NAME: sets edu_parameters of edu_dma.ko, dma_suffix of the names of tests, dma_options of scripts/vm/run.
dma_setup() {
    dma_options=(--icount --profile check --memory 2G --append secretmem.enable=1)
    case $1 in
    # swiotlb's pool is below 4 GiB, but not below 256 MiB.
    dma-plain) edu_parameters=dma_bits=32 dma_suffix=', by plain addresses' dma_options+=(--device 'edu,dma_mask=0xffffffff') ;;
    dma-iommu) edu_parameters=dma_bits=28 dma_suffix=', behind an IOMMU' dma_options+=(--device edu --iommu) ;;
    dma-swiotlb) edu_parameters=dma_bits=32 dma_suffix=', through swiotlb' dma_options+=(--device 'edu,dma_mask=0xffffffff' --swiotlb force) ;;
    dma-bounce) edu_parameters=dma_bits=28 dma_suffix=', by memory that is out of reach' dma_options+=(--device edu) ;;
    *) die 2 "no set-up '$1'; there are: $dma_setups" ;;
    esac
}
